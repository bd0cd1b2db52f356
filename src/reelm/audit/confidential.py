"""Entries that may not be told yet: the log holds a salted commitment, to be opened later."""

import secrets

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.audit.kinds import check_entry
from reelm.audit.models import AuditEntry, AuditOpening
from reelm.audit.record import record
from reelm.foundation.errors import Conflict, Missing
from reelm.proofs.leaf import SALT_BYTES, commitment, sealed


class Opened(msgspec.Struct, frozen=True):
    """What a confidential entry says."""

    kind: str
    body: dict[str, str | int | bool | list[str]]


def record_confidential(session: Session, kind: str, **body: str | int | bool | list[str]) -> int:
    """Log an act of which nothing but a commitment is published, and return the entry's id.

    Raises:
        Undeclared: kind, field or form is not declared.
    """
    check_entry(kind, body)
    salt, opened = secrets.token_bytes(SALT_BYTES), sealed(kind, body)
    entry_id = record(session, "confidential", commitment=commitment(salt, opened))
    session.add(AuditOpening(entry_id=entry_id, salt=salt, opened=opened.decode()))
    return entry_id


def open_entry(session: Session, entry_id: int) -> int:
    """Make a confidential entry public, by an entry that carries its salt and text; return its id.

    Raises:
        Missing: there is no such confidential entry.
        Conflict: it is open already.
    """
    row = _opening(session, entry_id)
    session.flush()
    opened = select(AuditEntry.id).where(
        AuditEntry.kind == "audit.opened", AuditEntry.body["entry_id"].astext == str(entry_id)
    )
    if session.scalar(opened.limit(1)) is not None:
        raise Conflict(f"Entry {entry_id} is open already.")
    return record(
        session,
        "audit.opened",
        entry_id=str(entry_id),
        salt=row.salt.hex(),
        opened=row.opened,
    )


def read_confidential(session: Session, entry_id: int) -> Opened:
    """Return what a confidential entry says, for those who may know.

    Raises:
        Missing: there is no such confidential entry.
    """
    return msgspec.json.decode(_opening(session, entry_id).opened, type=Opened)


def _opening(session: Session, entry_id: int) -> AuditOpening:
    row = session.get(AuditOpening, entry_id)
    if row is None:
        raise Missing(f"There is no confidential entry {entry_id}.")
    return row
