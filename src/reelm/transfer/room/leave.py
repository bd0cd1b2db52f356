"""Leave to look into the data room: a secret token, of which only the SHA-256 is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Forbidden, Gone, Invalid, Missing, Unauthenticated
from reelm.foundation.ids import new_id
from reelm.regions import orders, time_bounds
from reelm.transfer.current import KnownTransfer, open_transfer
from reelm.transfer.models import DataRoom, RegionTransfer
from reelm.transfer.stay import refuse_if_stayed, said

DEFAULT_DAYS, MOST_DAYS = 30, 365
VIEWED = "transfer.room_viewed"
_MARK = "room_"  # by which people and scanners of leaks know what it is
_SECRET_BYTES = 32


class Opened(msgspec.Struct, frozen=True):
    """A leave that has just been given; the token is not to be had again."""

    room_id: int
    token: str
    until: datetime


class Leave(msgspec.Struct, frozen=True):
    """A leave, without its token, and how often a document was looked at by it."""

    room_id: int
    opened_at: datetime
    until: datetime
    closed_at: datetime | None
    views: int


def open_room(session: Session, days: int = DEFAULT_DAYS) -> Opened:
    """Let whoever has the token look into the data room of the open sale for some days.

    Raises:
        Invalid: so many days cannot be.
        Missing: no sale is open.
        Conflict: it is stayed.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A data room is open for 1 to {MOST_DAYS} days.")
    transfer = open_transfer(session, lock=True)
    refuse_if_stayed(session)
    token = _MARK + secrets.token_urlsafe(_SECRET_BYTES)
    opened_at = now()
    row = DataRoom(
        id=new_id(),
        transfer_id=transfer.id,
        token_hash=_hash(token),
        opened_at=opened_at,
        until=opened_at + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        "transfer.room_opened",
        transfer_id=str(transfer.id),
        room_id=str(row.id),
        until=utc_text(row.until),
    )
    return Opened(row.id, token, row.until)


def close_rooms(session: Session, room_id: int | None = None) -> int:
    """End one leave, or all those of the open sale; return how many were ended now.

    Raises:
        Missing: no sale is open, or there is no such leave.
    """
    transfer = open_transfer(session, lock=True)
    rows = session.scalars(_of(transfer.id)).all()
    if room_id is not None:
        rows = [row for row in rows if row.id == room_id]
        if not rows:
            raise Missing(f"The open sale has no data room {room_id}; `room list` lists them.")
    still_open = [row for row in rows if row.closed_at is None]
    for row in still_open:
        row.closed_at = now()
        audit.record(
            session,
            "transfer.room_closed",
            transfer_id=str(transfer.id),
            room_id=str(row.id),
        )
    session.flush()
    return len(still_open)


def rooms(session: Session) -> list[Leave]:
    """Return the leaves of the open sale, the oldest first.

    Raises:
        Missing: no sale is open.
    """
    rows = session.scalars(_of(open_transfer(session).id)).all()
    return [
        Leave(row.id, row.opened_at, row.until, row.closed_at, _views(session, row.id))
        for row in rows
    ]


def enter(session: Session, token: str) -> tuple[DataRoom, KnownTransfer]:
    """Return the leave that a token gives, and the sale that it is for.

    Raises:
        Unauthenticated: there is no such token.
        Gone: the leave or the sale has ended.
        Forbidden: the sale is stayed, and its data room shut meanwhile.
    """
    row = session.scalar(select(DataRoom).where(DataRoom.token_hash == _hash(token)))
    if row is None:
        raise Unauthenticated(
            "This data room needs the token that the seller gave:"
            " send it as `Authorization: Bearer TOKEN`."
        )
    if row.closed_at is not None:
        raise Gone("The seller has closed this data room; ask it for another token.")
    if time_bounds(session).latest >= row.until:
        raise Gone(f"This data room was open until {row.until:%Y-%m-%d %H:%M} UTC.")
    sale = session.get(RegionTransfer, row.transfer_id)
    if sale is None or sale.ended_at is not None:
        raise Gone("The sale has ended, and its data room with it.")
    for stay in orders.stays_in_force(session):
        raise Forbidden(
            f"The sale is stayed: {said(stay)}. Its data room is shut until that order is lifted."
        )
    return row, open_transfer(session)


def _views(session: Session, room_id: int) -> int:
    query = select(func.count()).where(
        AuditEntry.kind == VIEWED,
        AuditEntry.id > room_id,
        AuditEntry.body["room_id"].astext == str(room_id),
    )
    return session.execute(query).scalar_one()


def _of(transfer_id: int) -> Select[DataRoom]:
    return select(DataRoom).where(DataRoom.transfer_id == transfer_id).order_by(DataRoom.id)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
