"""Add to the audit log."""

from sqlalchemy.orm import Session

from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.ids import new_id


def record(session: Session, kind: str, **body: str | int | bool) -> None:
    """Log an act in the session's transaction.

    Args:
        session: the transaction that does the act.
        kind: a dotted name such as `accounts.staff_made`.
        body: ids (as decimal strings), digests and plain facts; never personal data.
    """
    session.add(AuditEntry(id=new_id(), kind=kind, body=body, at=now()))
