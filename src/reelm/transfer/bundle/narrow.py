"""Narrow a mismatch to the row: the same leaf is read from both sides, and compared."""

from collections.abc import Callable, Iterator
from typing import Any

from psycopg import Connection

from reelm.accounts import Wrapping
from reelm.proofs.closing import LEAF_ROWS, TableTree, first_leaf, salt_of
from reelm.transfer.bundle.files import read_frames
from reelm.transfer.bundle.opened import Opened
from reelm.transfer.bundle.rekey import Lines, Rekeying, lines_changed
from reelm.transfer.bundle.rows import copied, slices
from reelm.transfer.bundle.streams import Sink
from reelm.transfer.bundle.tables import MovedTable


def tree_of(
    connection: Connection[Any],
    table: MovedTable,
    *,
    secret: bytes,
    scope_digest: str,
    wrappings: dict[int, Wrapping],
    is_ordered: bool = True,
) -> TableTree:
    """Return the tree of a table in a database; its rows in order, or as they lie there."""
    tree = TableTree(salt_of(secret, table.name))
    for text in _slices(connection, table, scope_digest, wrappings, is_ordered=is_ordered):
        for piece in text:
            tree.feed(piece)
        tree.end_slice()
    return tree


def differing_row(
    opened: Opened, connection: Connection[Any], name: str, wrappings: dict[int, Wrapping]
) -> str | None:
    """Return the key of the first row in which the bundle and a database differ, or None.

    The database may be the buyer's after the import, or the seller's where both can be read.
    """
    table, scope_digest = opened.tables[name], opened.manifest.scope_digest
    theirs = TableTree(salt_of(opened.secret, name))
    _from_bundle(opened, name, theirs.feed, theirs.end_slice)
    ours = tree_of(
        connection, table, secret=opened.secret, scope_digest=scope_digest, wrappings=wrappings
    )
    leaf = first_leaf(theirs.hashes, ours.hashes)
    if leaf is None:
        return None
    in_bundle = _Collecting(leaf)
    _from_bundle(opened, name, in_bundle.feed, in_bundle.end_slice)
    in_database = _Collecting(leaf)
    for text in _slices(connection, table, scope_digest, wrappings):
        for piece in text:
            in_database.feed(piece)
        in_database.end_slice()
    return _first_row(table, in_bundle.lines, in_database.lines)


def _slices(
    connection: Connection[Any],
    table: MovedTable,
    scope_digest: str,
    wrappings: dict[int, Wrapping],
    *,
    is_ordered: bool = True,
) -> Iterator[Iterator[bytes]]:
    change = Rekeying(table, scope_digest).lying(wrappings) if table.rekeyed else None
    for value in slices(connection, table):
        yield lines_changed(
            copied(connection, table.selected(value, is_ordered=is_ordered)), change
        )


def _from_bundle(opened: Opened, name: str, feed: Sink, end_slice: Callable[[], None]) -> None:
    leaf = opened.leaf_change(name)
    for one in opened.contents.tables[name].slices:
        lines = Lines(leaf) if leaf else None
        take = _changing(lines, feed) if lines else feed
        for fact in one.files:
            read_frames(opened.folder, fact, opened.identity, take)
        end_slice()


def _changing(lines: Lines, feed: Sink) -> Sink:
    return lambda piece: feed(lines.feed(piece))


class _Collecting:
    """Keeps the lines of one leaf of a text that comes in pieces."""

    def __init__(self, leaf: int) -> None:
        self.lines = list[bytes]()
        self._leaf, self._now, self._rows = leaf, 0, 0
        self._split = Lines(self._take)

    def feed(self, piece: bytes) -> None:
        self._split.feed(piece)

    def end_slice(self) -> None:
        if self._rows:
            self._now, self._rows = self._now + 1, 0

    def _take(self, line: bytes) -> bytes:
        if self._now == self._leaf:
            self.lines.append(line)
        self._rows += 1
        if self._rows == LEAF_ROWS:
            self.end_slice()
        return b""


def _first_row(table: MovedTable, ours: list[bytes], theirs: list[bytes]) -> str:
    at = next(
        (i for i, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other),
        min(len(ours), len(theirs)),
    )
    both = [lines[at] for lines in (ours, theirs) if at < len(lines)]
    # Of a row that only one side has, the smaller key of the two is that row's or its neighbour's.
    fields = min(both).split(b"\t")
    keys = (
        (name, fields[table.columns.index(name)].decode("utf-8", "replace")[:80])
        for name in table.order_names
    )
    return ", ".join(f"{name} {value}" for name, value in keys)
