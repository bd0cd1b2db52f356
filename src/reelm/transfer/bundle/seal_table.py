"""Write one table into a bundle, slice by slice, and take its leaves into a tree.

Of each slice that is written a note is kept: its rows, the digest of its leaves, its files. A seal
that is begun again reads the rows all the same, as only they say that nothing has changed, and
spares itself the writing. Days that are over are written ahead of it in the same way.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyrage
from psycopg import Connection

from reelm.accounts import Wrapping
from reelm.proofs.closing import (
    HASH_BYTES,
    LEAF_ROWS,
    ClosedTable,
    TableTree,
    commitment_of,
    salt_of,
)
from reelm.transfer.bundle.contents import Slice, Stored
from reelm.transfer.bundle.files import FileFact, is_whole, write_frames, write_plain
from reelm.transfer.bundle.rekey import Change, Lines, Rekeying, lines_changed
from reelm.transfer.bundle.rows import copied, slices
from reelm.transfer.bundle.tables import MovedTable

TABLES = "tables"
# The list of objects is written as a table is; no table is named so.
LIST = "0_objects"
# A file of the bundle holds about so much text; what is lost by a kill is one slice.
PART_BYTES = 64 << 20
# Below this a slice is written anew sooner than it is looked up.
NOTED_BYTES = 1 << 20


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a slice was when it was written."""

    rows: int
    leaves: str
    files: list[FileFact]


@dataclass(frozen=True)
class Sealing:
    """One seal under way."""

    connection: Connection[Any]
    folder: Path
    notes: Path
    scope_digest: str
    secret: bytes
    recipient: pyrage.x25519.Recipient
    wrappings: dict[int, Wrapping]


def seal_table(sealing: Sealing, table: MovedTable) -> tuple[ClosedTable, Stored]:
    """Write a table; return what the manifest says of it, and its files."""
    salt = salt_of(sealing.secret, table.name)
    tree, parts = TableTree(salt), list[Slice]()
    source = _Source(sealing, table)
    for value in slices(sealing.connection, table):
        files = _noted(source, value, tree) or _written(source, value, tree, NOTED_BYTES)
        parts.append(Slice(value, files))
    closed = ClosedTable(
        table.name, "transfer", list(table.columns), table.order_names, table.sliced_by,
        sorted(table.rekeyed), tree.rows, tree.root(), LEAF_ROWS, commitment_of(salt),
    )  # fmt: skip
    return closed, Stored(write_leaves(sealing, table.name, tree), parts)


def copy_slice(sealing: Sealing, table: MovedTable, value: str) -> bool:
    """Write a slice ahead of the seal, unless it is there; return whether it was written."""
    source, tree = _Source(sealing, table), TableTree(salt_of(sealing.secret, table.name))
    return _noted(source, value, tree) is None and bool(_written(source, value, tree, 0))


def write_parts(
    sealing: Sealing,
    name: str,
    value: str,
    pieces: Iterable[bytes],
    leaf: Change | None,
    tree: TableTree,
) -> list[FileFact]:
    """Write text into files of bounded size, and feed it to a tree as leaves have it."""
    source = _digested(pieces, leaf, tree)
    files = list[FileFact]()
    while (first := next(source, None)) is not None:
        middle = f"{value or 'all'}-{len(files):04d}"
        file = f"{TABLES}/{name}/{middle}.age"
        part = _part(first, source)
        files.append(write_frames(sealing.folder, file, part, sealing.recipient))
    return files


def write_leaves(sealing: Sealing, name: str, tree: TableTree) -> FileFact | None:
    """Write the hashes of a table's leaves, by which a mismatch is narrowed."""
    if len(tree.hashes) <= HASH_BYTES:
        return None
    file = f"{TABLES}/{name}/leaves.age"
    return write_frames(sealing.folder, file, [bytes(tree.hashes)], sealing.recipient)


class _Source:
    """The text of one table, as it travels; `leaf` is how it stands in leaves."""

    def __init__(self, sealing: Sealing, table: MovedTable) -> None:
        rekeying = Rekeying(table, sealing.scope_digest) if table.rekeyed else None
        self.sealing, self.table = sealing, table
        self.leaf = rekeying.leaf() if rekeying else None
        self._change = rekeying.sealing(sealing.wrappings) if rekeying else None

    def text(self, value: str) -> Iterator[bytes]:
        """Yield the text of a slice."""
        query = self.table.selected(value)
        return lines_changed(copied(self.sealing.connection, query), self._change)


def _written(source: _Source, value: str, tree: TableTree, noted_bytes: int) -> list[FileFact]:
    """Take a slice into the tree and write it; from `noted_bytes` on it is noted."""
    sealing, name = source.sealing, source.table.name
    rows, leaves = tree.rows, len(tree.hashes)
    files = write_parts(sealing, name, value, source.text(value), source.leaf, tree)
    tree.end_slice()
    digest = hashlib.sha256(tree.hashes[leaves:]).hexdigest()
    made = Note(tree.rows - rows, digest, files)
    if sum(fact.size_bytes for fact in files) >= noted_bytes:
        write_plain(sealing.notes, _note_name(name, value), msgspec.json.encode(made))
    return files


def _noted(source: _Source, value: str, tree: TableTree) -> list[FileFact] | None:
    """Take a slice into the tree whose files are whole and have the rows of now; return them."""
    sealing, name = source.sealing, source.table.name
    note = _note(sealing, name, value)
    if note is None:
        return None
    again = TableTree(salt_of(sealing.secret, name))
    for piece in lines_changed(source.text(value), source.leaf):
        again.feed(piece)
    again.end_slice()
    if (again.rows, hashlib.sha256(again.hashes).hexdigest()) != (note.rows, note.leaves):
        return None
    tree.take_slice(again)
    return note.files


def _note(sealing: Sealing, name: str, value: str) -> Note | None:
    """Return the note of a slice whose files are whole."""
    try:
        data = (sealing.notes / _note_name(name, value)).read_bytes()
        note = msgspec.json.decode(data, type=Note)
    except (OSError, msgspec.MsgspecError):
        return None
    return note if all(is_whole(sealing.folder, fact) for fact in note.files) else None


def _note_name(name: str, value: str) -> str:
    return f"{name}/{value or 'all'}.json"


def _digested(pieces: Iterable[bytes], leaf: Change | None, tree: TableTree) -> Iterator[bytes]:
    lines = Lines(leaf) if leaf else None
    for piece in pieces:
        tree.feed(lines.feed(piece) if lines else piece)
        yield piece


def _part(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    size = len(first)
    yield first
    while size < PART_BYTES and (piece := next(rest, None)) is not None:
        size += len(piece)
        yield piece
