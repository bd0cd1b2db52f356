"""Read the tables of an opened bundle, each against its root in the manifest."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from reelm.foundation.errors import Invalid
from reelm.proofs.closing import (
    HASH_BYTES,
    LEAF_ROWS,
    OBJECTS,
    TableTree,
    first_leaf,
    root_over,
    salt_of,
)
from reelm.transfer.bundle.files import FileFact, read_frames
from reelm.transfer.bundle.opened import Opened
from reelm.transfer.bundle.rekey import Change, Lines
from reelm.transfer.bundle.seal_table import LIST
from reelm.transfer.bundle.streams import Sink

Sinks = Callable[[str], AbstractContextManager[Sink]]


def read_table(opened: Opened, name: str, sinks: Sinks | None = None) -> TableTree:
    """Read a table of the bundle and check it against the manifest.

    Args:
        opened: the bundle.
        name: the table.
        sinks: is given the value of each slice, and yields what takes its text as it travels.

    Raises:
        Invalid: it is not what was closed; names the table, and the leaf where that can be told.
    """
    closed, stored = opened.closed(name), opened.contents.tables[name]
    tree = TableTree(salt_of(opened.secret, name))
    for one in stored.slices:
        with sinks(one.value) if sinks else nullcontext(None) as sink, _naming(name):
            _read_slice(opened, one.files, tree, opened.leaf_change(name), sink, closed.rows)
    check_tree(opened, name, tree, closed.rows, closed.root)
    return tree


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Let what is wrong with the text of a table name the table."""
    try:
        yield
    except Invalid as error:
        if name in error.sentence:
            raise
        raise Invalid(f"Table {name} of the bundle is wrong: {error.sentence}") from None


def read_list(opened: Opened, sink: Sink) -> None:
    """Read the list of objects and check it against the manifest; `sink` is given its text."""
    closed = opened.manifest.objects
    tree = TableTree(salt_of(opened.secret, OBJECTS))
    for one in opened.contents.objects.slices:
        _read_slice(opened, one.files, tree, None, sink, closed.count)
    check_tree(opened, LIST, tree, closed.count, closed.root)


def check_tree(opened: Opened, name: str, tree: TableTree, rows: int, root: str) -> None:
    """Compare a tree with the manifest's root.

    Raises:
        Invalid: names the table, and the first leaf that differs where the bundle's own list of
            leaves is the one that was signed.
    """
    what = "The list of objects" if name == LIST else f"Table {name}"
    if (tree.rows, tree.root()) == (rows, root):
        _check_leaves(opened, name, tree)
        return
    leaf = _first_difference(opened, name, tree, rows, root)
    where = f", from leaf {leaf} on" if leaf is not None else ""
    raise Invalid(
        f"{what} is not what the seller closed: {tree.rows} rows with root {tree.root()[:16]}…"
        f" instead of {rows} with {root[:16]}…{where}."
    )


def _check_leaves(opened: Opened, name: str, tree: TableTree) -> None:
    """Check that the list of leaves, by which others narrow a mismatch, is that of the tree."""
    stored = opened.contents.objects if name == LIST else opened.contents.tables[name]
    if stored.leaves is None:
        return
    if _told(opened, stored.leaves, len(tree.hashes)) != tree.hashes:
        raise Invalid(f"{stored.leaves.name} of the bundle lists other leaves than the table has.")


def _told(opened: Opened, leaves: FileFact, most_bytes: int) -> bytearray:
    """Return a list of leaves that is no longer than it may be."""
    told = bytearray()

    def take(piece: bytes) -> None:
        told.extend(piece)
        if len(told) > most_bytes:
            raise Invalid(f"{leaves.name} of the bundle lists more leaves than the table has.")

    read_frames(opened.folder, leaves, opened.identity, take)
    return told


def _first_difference(
    opened: Opened, name: str, tree: TableTree, rows: int, root: str
) -> int | None:
    stored = opened.contents.objects if name == LIST else opened.contents.tables[name]
    if stored.leaves is None:
        return None
    # As many as there are slices and whole leaves; each slice may add one that is not whole.
    most = (rows // LEAF_ROWS + len(stored.slices) + 1) * HASH_BYTES
    try:
        signed = _told(opened, stored.leaves, most)
    except Invalid:
        return None
    return first_leaf(signed, tree.hashes) if root_over(signed) == root else None


def _read_slice(
    opened: Opened,
    files: list[FileFact],
    tree: TableTree,
    leaf: Change | None,
    sink: Sink | None,
    most_rows: int,
) -> None:
    lines = Lines(leaf) if leaf else None

    def take(piece: bytes) -> None:
        tree.feed(lines.feed(piece) if lines else piece)
        if tree.rows > most_rows:
            raise Invalid(f"{files[0].name} of the bundle holds more rows than were closed.")
        if sink is not None:
            sink(piece)

    for fact in files:
        read_frames(opened.folder, fact, opened.identity, take)
    if lines:
        lines.end()
    tree.end_slice()
