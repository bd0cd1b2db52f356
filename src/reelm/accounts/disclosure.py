"""Disclosures: what an order had copied for its authority is handed out by staff, who cannot read.

The order is complied with when the copy of each account that it names was handed out.
"""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.models import SealedCopy
from reelm.accounts.staff_reading import Reader, log_read
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Missing, Unavailable
from reelm.regions import orders, time_bounds

NO_DISCLOSURE = "There is no such order to disclose in this region."


class Package(msgspec.Struct, frozen=True):
    """The encrypted copy of one account, and when it was first handed out, and by whom."""

    account_id: int
    object: str
    size_bytes: int
    made_at: datetime
    released_at: datetime | None
    released_by: int | None

    @property
    def sha256(self) -> str:
        """Hex digest of the encrypted file."""
        return self.object.rpartition("/")[2]


class Disclosure(msgspec.Struct, frozen=True):
    """The packages of an order, and the accounts whose package is still being made."""

    order: orders.ListedOrder
    packages: list[Package]
    awaited: list[int]


def disclosure(session: Session, order_id: int) -> Disclosure:
    """Return what was made for an order to disclose.

    Raises:
        Missing: there is no such order, or it is of another kind.
    """
    order = orders.order(session, order_id)
    if order.kind != "disclose":
        raise Missing(NO_DISCLOSURE)
    rows = session.execute(
        select(
            SealedCopy.subject_id,
            SealedCopy.object,
            SealedCopy.size_bytes,
            SealedCopy.made_at,
            SealedCopy.released_at,
            SealedCopy.released_by,
        )
        .where(SealedCopy.order_id == order_id)
        .order_by(SealedCopy.subject_id)
    )
    packages = [Package(*row) for row in rows]
    named = {int(number) for number in order.targets["accounts"]}
    return Disclosure(order, packages, sorted(named - {one.account_id for one in packages}))


def open_disclosure(session: Session, order_id: int, reader: Reader) -> Disclosure:
    """Return the same to a member of the staff; that it was opened is logged.

    Raises:
        Missing: there is no such order, or it is of another kind.
    """
    found = disclosure(session, order_id)
    confidential = found.order.is_confidential
    log_read(session, reader, "disclosure", order_id, is_confidential=confidential)
    return found


def release_disclosure(session: Session, order_id: int, account_id: int, reader: Reader) -> Package:
    """Hand out the package of one account, and say of the order that it was complied with.

    It may be handed out again, until it is destroyed: each time is logged.

    Raises:
        Missing: there is no such order, or it does not name the account.
        Conflict: the order has ended, or its packages were destroyed after their release.
        Unavailable: the package is still being made.
    """
    is_in_force = orders.still_in_force(session, order_id)
    order = disclosure(session, order_id).order
    if str(account_id) not in order.targets["accounts"]:
        raise Missing("This order does not name this account.")
    if not is_in_force and order.state != "complied":
        raise Conflict("This order is not in force, so nothing is disclosed for it.")
    row = session.scalar(
        select(SealedCopy)
        .where(SealedCopy.order_id == order_id, SealedCopy.subject_id == account_id)
        .with_for_update()
    )
    if row is None and order.state == "complied":
        raise Conflict("This package was handed out, and destroyed after its time.")
    if row is None:
        raise Unavailable("This package is still being made; try again in a while.")
    if row.released_at is None:
        row.released_at, row.released_by = now(), reader.account_id
        session.flush()
    log_read(
        session, reader, "disclosure", order_id, account_id, is_confidential=order.is_confidential
    )
    found = disclosure(session, order_id)
    if not found.awaited and all(one.released_at for one in found.packages):
        orders.comply(session, order_id, time_bounds(session).latest)
    return next(one for one in found.packages if one.account_id == account_id)
