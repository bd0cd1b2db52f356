"""The audit log of a sale: its newest signed checkpoint, and the root that its leaves have."""

from typing import Any

from psycopg import Connection

from reelm.foundation.errors import Conflict, Invalid
from reelm.proofs.closing import ClosedLog
from reelm.proofs.merkle import Frontier
from reelm.proofs.note import Checkpoint, Note


def closed_log(connection: Connection[Any], *, is_frozen: bool) -> ClosedLog:
    """Return the log as it is handed over.

    Raises:
        Conflict: it is frozen, and entries have no place in the tree yet.
    """
    row = connection.execute(
        "SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1"
    ).fetchone()
    if row is None:
        raise Conflict("The audit log has no checkpoint yet: integrate it first.")
    size, note = int(row[0]), str(row[1])
    counted = connection.execute("SELECT count(*) FROM audit_entry").fetchone()
    entries = int(counted[0]) if counted else 0
    if is_frozen and entries != size:
        raise Conflict(
            f"The audit log has {entries} entries, and its checkpoint {size}: integrate it first."
        )
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    root = log_root(connection, size)
    if (checkpoint.size, checkpoint.root.hex()) != (size, root):
        raise Invalid(f"The leaves of the audit log have not the root of its checkpoint {size}.")
    return ClosedLog(size, root, note)


def log_root(connection: Connection[Any], size: int) -> str:
    """Return the root over the first leaves of the log."""
    frontier = Frontier()
    with connection.cursor(name="log_leaves", binary=True) as cursor:
        cursor.itersize = 10_000
        query = 'SELECT hash FROM audit_leaf WHERE "index" < %s ORDER BY "index"'
        for (leaf,) in cursor.execute(query, [size]):
            frontier.append(bytes(leaf))
    return frontier.root().hex()
