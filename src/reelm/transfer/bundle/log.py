"""The audit log of a sale: its newest signed checkpoint, and all that the buyer checks of it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from psycopg import Connection, sql

from reelm.audit.tree import TILE, TILE_LEVELS
from reelm.foundation.errors import Conflict, Invalid
from reelm.proofs.closing import ClosedLog, Closing
from reelm.proofs.exported import checkpoint_line, end_line, header_line
from reelm.proofs.keys import origin, origin_of
from reelm.proofs.leaf import leaf_bytes
from reelm.proofs.merkle import Frontier, leaf_hash
from reelm.proofs.note import Checkpoint, Note
from reelm.proofs.verify import Expected, verify_export


class LogGrew(Conflict):
    """An entry came after the log was integrated: integrate it again."""


def closed_log(connection: Connection[Any], *, is_frozen: bool) -> ClosedLog:
    """Return the log as it is handed over.

    Raises:
        LogGrew: it is frozen, and entries have no place in the tree yet.
        Conflict: it has no checkpoint.
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
        raise LogGrew(
            f"The audit log has {entries} entries, and its checkpoint {size}: integrate it first."
        )
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    frontier = Frontier()
    frontier.extend(_hashes(connection, 0))
    root = frontier.root().hex()
    if (checkpoint.size, checkpoint.root.hex()) != (size, root):
        raise Invalid(f"The leaves of the audit log have not the root of its checkpoint {size}.")
    return ClosedLog(size, root, note)


def check_log(connection: Connection[Any], manifest: Closing) -> None:
    """Check the log that was imported as an offline verifier does, from its entries on.

    Each leaf is computed from its entry, each checkpoint has to be signed by the key that the log
    itself says holds at its size, and the newest is the one of the manifest.

    Raises:
        Invalid: it is not what was signed; names the entry.
    """
    log = manifest.log
    try:
        lines = _exported(connection, manifest)
        report = verify_export(lines, Expected(previous=[Note.parse(log.checkpoint)]))
    except (psycopg.DataError, ValueError, TypeError) as error:
        raise Invalid(f"The audit log has an entry that is none: {str(error)[:200]}.") from None
    if report.first is not None:
        raise Invalid(f"The audit log is not what was signed. {report.first.sentence}")
    found = connection.execute(_NOTE, [log.size]).fetchone()
    if found is None or str(found[0]) != log.checkpoint:
        raise Invalid(f"The audit log lacks the checkpoint of size {log.size} of the manifest.")
    if (report.size, report.root) != (log.size, log.root):
        raise Invalid("The audit log has another root than the manifest says.")
    _check_nodes(connection, log.size)


def await_places(connection: Connection[Any]) -> None:
    """Let entries that have no place in the tree yet wait for one, as a rehearsal has them."""
    connection.execute(_OUTSIDE)


def _exported(connection: Connection[Any], manifest: Closing) -> Iterator[bytes]:
    """Yield the lines of an export (docs/audit.md), from the tables as they lie."""
    log = manifest.log
    row = connection.execute("SELECT public_key FROM tenure ORDER BY epoch LIMIT 1").fetchone()
    first_key = str(row[0]) if row else ""
    if len(first_key) != 64 or origin_of(bytes.fromhex(first_key)) != origin(manifest.region):
        raise Invalid("The first operator's key is not the one that the region is named after.")
    yield header_line(origin(manifest.region), first_key, log.size)
    with (
        connection.cursor(name="log_checkpoints") as checkpoints,
        connection.cursor(name="log_entries") as entries,
    ):
        rows = iter(entries.execute(_ENTRIES))
        before = 0
        for size, note in checkpoints.execute(_CHECKPOINTS):
            hashes = list[bytes]()
            for index, row in enumerate(islice(rows, size - before), before):
                hashes.append(bytes(row[4]))
                if row[0] is not None:  # else its entry is missing, which its leaf's hash shows
                    yield _entry_line(index, *row)
            yield checkpoint_line(note, hashes)
            before = size
    yield end_line(log.size)


def _entry_line(
    index: int, entry_id: int, kind: str, at: datetime, body: dict[str, Any], hashed: bytes
) -> bytes:
    line = leaf_bytes(entry_id, kind, at, body)
    if leaf_hash(line) != bytes(hashed):
        raise Invalid(
            f"Entry {index} (id {entry_id}) of the audit log is not what its leaf is the hash of."
        )
    return line + b"\n"


def _check_nodes(connection: Connection[Any], size: int) -> None:
    """Compute each stored node from what lies below it."""
    level, count = TILE_LEVELS, size // TILE
    while True:
        below, stored = _hashes(connection, level - TILE_LEVELS), _hashes(connection, level)
        for index in range(count):
            tree = Frontier()
            tree.extend(islice(below, TILE))
            if next(stored, None) != tree.root():
                raise Invalid(f"Node {index} of level {level} of the audit log is wrong.")
        if next(stored, None) is not None:
            raise Invalid(f"The audit log has more nodes of level {level} than leaves for them.")
        if not count:
            return
        level, count = level + TILE_LEVELS, count // TILE


def _hashes(connection: Connection[Any], level: int) -> Iterator[bytes]:
    """Yield the hashes of one level of the tree in order; the leaves are level 0."""
    query = sql.SQL(
        'SELECT hash FROM audit_leaf ORDER BY "index"'
        if level == 0
        else 'SELECT hash FROM audit_node WHERE level = {} ORDER BY "index"'
    ).format(sql.Literal(level))
    with connection.cursor(name=f"log_level_{level}", binary=True) as cursor:
        cursor.itersize = 10_000
        for (hashed,) in cursor.execute(query):
            yield bytes(hashed)


_CHECKPOINTS = "SELECT size, note FROM audit_checkpoint ORDER BY size"
_NOTE = "SELECT note FROM audit_checkpoint WHERE size = %s"
_ENTRIES = """
    SELECT entry.id, entry.kind, entry.at, entry.body, leaf.hash
    FROM audit_leaf AS leaf LEFT JOIN audit_entry AS entry ON entry.id = leaf.entry_id
    ORDER BY leaf."index"
"""
_OUTSIDE = """
    INSERT INTO audit_pending (entry_id)
    SELECT id FROM audit_entry
    WHERE NOT EXISTS (SELECT FROM audit_leaf WHERE entry_id = audit_entry.id)
    ON CONFLICT DO NOTHING
"""
