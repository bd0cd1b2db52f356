"""Write the log as one file that anyone can verify, in pages and never as a whole."""

from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.audit.integrate import newest
from reelm.audit.models import AuditCheckpoint, AuditEntry, AuditLeaf
from reelm.audit.witnesses import cosignatures, with_cosignatures
from reelm.foundation.database import Database
from reelm.proofs.exported import checkpoint_line, end_line, header_line
from reelm.proofs.leaf import leaf_bytes

PAGE = 2000


def export(
    database: Database,
    origin: str,
    first_key: str,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[bytes]:
    """Yield the log up to its newest checkpoint, line by line (docs/audit.md).

    Each page is a transaction of its own: nothing that was read before changes.
    """
    with database.transaction() as session:
        last = newest(session)
        size = 0 if last is None else last.size
    yield header_line(origin, first_key, size)
    signed = 0
    while signed < size:
        with database.transaction() as session:
            page, signed = _page(session, signed, size)
        yield page
        if on_progress:
            on_progress(signed, size)
    yield end_line(size)


def _page(session: Session, start: int, size: int) -> tuple[bytes, int]:
    """Return the lines of whole checkpoints after `start`, and where they end."""
    signed = _checkpoints(session, start, size)
    end = signed[-1].size
    rows = session.execute(
        select(AuditLeaf.hash, AuditEntry.id, AuditEntry.kind, AuditEntry.at, AuditEntry.body)
        .outerjoin(AuditEntry, AuditEntry.id == AuditLeaf.entry_id)
        .where(AuditLeaf.index >= start, AuditLeaf.index < end)
        .order_by(AuditLeaf.index)
    ).all()
    lines, at = [], start
    found = cosignatures(session, [one.size for one in signed])
    for one in signed:
        part = rows[at - start : one.size - start]
        lines += [
            leaf_bytes(row.id, row.kind, row.at, row.body) + b"\n"
            for row in part
            if row.id is not None  # else its entry was deleted, which its leaf's hash shows
        ]
        note = with_cosignatures(one.note, found.get(one.size, []))
        lines.append(checkpoint_line(note, [bytes(row.hash) for row in part]))
        at = one.size
    return b"".join(lines), end


def _checkpoints(session: Session, start: int, size: int) -> list[AuditCheckpoint]:
    """Return the checkpoints of the next page: one at least, so that a page ends with one."""
    query = (
        select(AuditCheckpoint)
        .where(AuditCheckpoint.size > start, AuditCheckpoint.size <= size)
        .order_by(AuditCheckpoint.size)
    )
    within = session.scalars(query.where(AuditCheckpoint.size <= start + PAGE)).all()
    return list(within) or list(session.scalars(query.limit(1)).all())
