"""Who of the staff read whose data: the entries that `log_read` wrote, for people to look at."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_named
from reelm.accounts.profile import handles_of
from reelm.audit.models import AuditEntry, AuditOpening

KIND = "staff.read"


class Reading(msgspec.Struct, frozen=True):
    """One reading; `handle` is None where the reader's account was erased.

    Of one about a confidential order the public log holds a commitment only.
    """

    id: int
    at: datetime
    reader_id: int
    handle: str | None
    role: str
    purpose: str
    country: str | None
    what: str
    subject_ids: tuple[str, ...]
    is_published: bool


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
    reader_id = None if reader is None else str(account_named(session, reader))
    logged = _published(session, before, reader_id, limit)
    logged += _confidential(session, before, reader_id, limit)
    logged.sort(key=lambda one: one.entry_id, reverse=True)
    handles = handles_of(session, (int(one.body["reader_id"]) for one in logged[:limit]))
    return [_reading(one, handles) for one in logged[:limit]]


class _Logged(NamedTuple):
    entry_id: int
    at: datetime
    body: dict[str, Any]
    is_published: bool


def _published(
    session: Session, before: int | None, reader_id: str | None, limit: int
) -> list[_Logged]:
    query = select(AuditEntry.id, AuditEntry.at, AuditEntry.body).where(AuditEntry.kind == KIND)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if reader_id is not None:
        query = query.where(AuditEntry.body["reader_id"].astext == reader_id)
    rows = session.execute(query.order_by(AuditEntry.id.desc()).limit(limit))
    return [_Logged(row.id, row.at, row.body, is_published=True) for row in rows]


def _confidential(
    session: Session, before: int | None, reader_id: str | None, limit: int
) -> list[_Logged]:
    """Return readings about confidential orders, of which the log publishes a commitment."""
    query = (
        select(AuditEntry.id, AuditEntry.at, AuditOpening.opened)
        .join(AuditOpening, AuditOpening.entry_id == AuditEntry.id)
        # The canonical JSON of an opening ends with its kind.
        .where(AuditEntry.kind == "confidential", AuditOpening.opened.endswith(f'"{KIND}"}}'))
    )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if reader_id is not None:
        query = query.where(AuditOpening.opened.contains(f'"reader_id":"{reader_id}"'))
    rows = session.execute(query.order_by(AuditEntry.id.desc()).limit(limit))
    return [
        _Logged(row.id, row.at, msgspec.json.decode(row.opened)["body"], is_published=False)
        for row in rows
    ]


def _reading(one: _Logged, handles: dict[int, str]) -> Reading:
    body = one.body
    return Reading(
        id=one.entry_id,
        at=one.at,
        reader_id=int(body["reader_id"]),
        handle=handles.get(int(body["reader_id"])),
        role=body["role"],
        purpose=body["purpose"],
        country=body.get("country"),
        what=body["what"],
        subject_ids=tuple(body["subject_ids"]),
        is_published=one.is_published,
    )
