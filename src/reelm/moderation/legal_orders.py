"""Legal orders come in: signed by their authority, or on paper and looked at by two officers.

What an order is and does is in `regions.orders`; here its targets are looked for, which room
regions does not know.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
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
        Conflict: it was checked already.
        Invalid: it can no longer be carried out as it was entered.
    """
    unknown = unknown_in(session)
    return orders.check_paper(session, order_id, unknown, checked_by=checked_by, agrees=agrees)


def unknown_in(session: Session) -> Callable[[orders.Targets], list[str]]:
    """Return what names the targets of an order that are not in the region."""

    def unknown(targets: orders.Targets) -> list[str]:
        names = []
        for word, column, ids in (
            ("video", Video.id, targets.videos),
            ("account", Account.id, targets.accounts),
        ):
            there = set(session.scalars(select(column).where(column.in_([int(i) for i in ids]))))
            names += [f"{word} {number}" for number in ids if int(number) not in there]
        return names

    return unknown


def _pack(parts: Parts) -> PolicyPack:
    return load_pack(parts.settings.region.jurisdiction)
