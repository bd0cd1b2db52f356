"""Legal orders come in: signed by their authority, or on paper and looked at by two officers.

What an order is and does is in `regions.orders`; here its targets are looked for, which room
regions does not know.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts import Power, may
from reelm.accounts.models import Account, ErasedAccount
from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.regions import PolicyPack, load_pack, orders
from reelm.videos.models import Video


def submit_order(session: Session, parts: Parts, envelope: bytes) -> orders.TakenOrder:
    """Take a signed order in and carry it out; the same one again changes nothing.

    Raises:
        Invalid: the envelope, its signatures, the statement or its targets are wrong.
        Missing: there is no such authority, or no order of a name that it gives.
        Conflict: another order has its reference, or an order that it names is not in force.
    """
    return orders.accept_signed(session, _pack(parts), envelope, unknown_in(session))


def enter_order(
    session: Session,
    parts: Parts,
    statement: orders.OrderStatement,
    *,
    document_digest: str,
    received_at: datetime,
    entered_by: int,
) -> orders.TakenOrder:
    """Keep what an officer read in a document, until another has checked it.

    Raises:
        Invalid: a field is wrong, or the authority has no such power.
        Missing: there is no such authority, or no order of a name that it gives.
        Conflict: another order has its reference.
    """
    return orders.enter_on_paper(
        session,
        _pack(parts),
        statement,
        unknown_in(session),
        document_digest=document_digest,
        received_at=received_at,
        entered_by=entered_by,
    )


def check_order(
    session: Session, order_id: int, *, checked_by: int, agrees: bool
) -> orders.TakenOrder:
    """Put an entered order in force after a second look at its document, or refuse it.

    Raises:
        Missing: there is no such order.
        Forbidden: the one who entered it cannot check it.
        Conflict: it was checked already, has lapsed, or was entered by somebody who could not do so
            now; who was sent away leaves nothing behind that still takes effect.
        Invalid: it can no longer be carried out as it was entered.
    """
    if agrees:
        _require_officer(session, orders.order(session, order_id))
    unknown = unknown_in(session)
    return orders.check_paper(session, order_id, unknown, checked_by=checked_by, agrees=agrees)


def _require_officer(session: Session, order: orders.ListedOrder) -> None:
    by = select(Account.role).where(Account.id == order.entered_by, Account.state == "active")
    if order.state == "entered" and not may(session.scalar(by), Power.HANDLE_ORDERS):
        raise Conflict(
            "Who entered this order handles orders no more: refuse it, and have another officer"
            " enter it anew."
        )


def unknown_in(session: Session) -> Callable[[orders.Targets], list[str]]:
    """Return what names the targets of an order that are not, and never were, in the region.

    Of an account that was erased its tombstone is left: an order about its data is answered so.
    """

    def unknown(targets: orders.Targets) -> list[str]:
        """Return the names of the targets that are not there."""
        video_ids, account_ids = _numbers(targets.videos), _numbers(targets.accounts)
        videos = set(session.scalars(select(Video.id).where(Video.id.in_(video_ids))))
        # An erasure takes these rows FOR UPDATE: it sees this order, or the order sees it.
        named = select(Account.id).where(Account.id.in_(account_ids)).order_by(Account.id)
        people = set(session.scalars(named.with_for_update(read=True, key_share=True)))
        tombstones = select(ErasedAccount.account_id)
        people |= set(session.scalars(tombstones.where(ErasedAccount.account_id.in_(account_ids))))
        missing = [f"video {one}" for one in video_ids if one not in videos]
        return missing + [f"account {one}" for one in account_ids if one not in people]

    return unknown


def _numbers(ids: list[str]) -> list[int]:
    return [int(one) for one in ids]


def _pack(parts: Parts) -> PolicyPack:
    return load_pack(parts.settings.region.jurisdiction)
