"""Who of the staff read whose data: the entries that `log_read` wrote, for people to look at."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_named
from reelm.accounts.models import Account
from reelm.audit.models import AuditEntry

KIND = "staff.read"


class Reading(msgspec.Struct, frozen=True):
    """One reading; `handle` is None where the reader's account was erased."""

    id: int
    at: datetime
    reader_id: int
    handle: str | None
    role: str
    purpose: str
    country: str | None
    what: str
    subject_ids: tuple[str, ...]


def readings(
    session: Session, *, before: int | None = None, reader: str | None = None, limit: int = 50
) -> list[Reading]:
    """Return readings of people's data by staff, the newest first.

    Args:
        session: the transaction.
        before: the id of the last one of the page before.
        reader: a handle; only what this account read.
        limit: the most to return.

    Raises:
        Missing: there is no account of this handle.
    """
    query = select(AuditEntry).where(AuditEntry.kind == KIND)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if reader is not None:
        reader_id = str(account_named(session, reader))
        query = query.where(AuditEntry.body["reader_id"].astext == reader_id)
    entries = session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)).all()
    asked = {int(entry.body["reader_id"]) for entry in entries}
    named = session.execute(
        select(Account.id, Account.handle).where(Account.id.in_(asked), Account.state == "active")
    )
    handles = {row.id: row.handle for row in named}
    return [_reading(entry, handles) for entry in entries]


def _reading(entry: AuditEntry, handles: dict[int, str]) -> Reading:
    body = entry.body
    return Reading(
        id=entry.id,
        at=entry.at,
        reader_id=int(body["reader_id"]),
        handle=handles.get(int(body["reader_id"])),
        role=body["role"],
        purpose=body["purpose"],
        country=body.get("country"),
        what=body["what"],
        subject_ids=tuple(body["subject_ids"]),
    )
