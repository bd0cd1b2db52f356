"""Add to the audit log."""

from sqlalchemy.orm import Session

from reelm.audit.kinds import check_entry
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.ids import new_id


def record(session: Session, kind: str, **body: str | int | bool | list[str]) -> int:
    """Log an act in the session's transaction, and return the entry's id.

    Nobody waits for the tree: a trigger puts the entry among the pending ones, and
    `audit.integrate` takes it from there after the commit.

    Args:
        session: the transaction that does the act.
        kind: a dotted name that audit/kinds.py declares, such as `accounts.role_set`.
        body: the fields that it declares: ids (as decimal strings), digests and plain facts.

    Raises:
        Undeclared: kind, field or form is not declared.
    """
    check_entry(kind, body)
    entry_id = new_id()
    session.add(AuditEntry(id=entry_id, kind=kind, body=body, at=now()))
    return entry_id
