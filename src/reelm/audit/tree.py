"""Read the stored tree: roots at any size, and proofs, by a few reads of at most 256 hashes.

Stored are the hashes of all leaves and of every complete subtree of 256, 256^2, ... leaves; a
*tile* is 256 of one such level that lie under one of the next. What is between is computed.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from reelm.foundation.errors import Invalid, Missing, Unavailable
from reelm.proofs.merkle import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    consistency_ranges,
    fold,
    inclusion_ranges,
    node_hash,
    subtrees,
)

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS

_LEAVES = text(
    """
    SELECT wanted.tile, leaf.index, leaf.hash FROM unnest(CAST(:tiles AS bigint[])) wanted (tile)
    JOIN audit_leaf leaf ON leaf.index >= wanted.tile * 256 AND leaf.index < wanted.tile * 256 + 256
    ORDER BY leaf.index
    """
)
_NODES = text(
    """
    SELECT wanted.tile, node.index, node.hash FROM unnest(CAST(:tiles AS bigint[])) wanted (tile)
    JOIN audit_node node ON node.level = :level
        AND node.index >= wanted.tile * 256 AND node.index < wanted.tile * 256 + 256
    ORDER BY node.index
    """
)


def leaf_count(session: Session) -> int:
    """Return how many entries have a place in the tree."""
    return int(session.scalar(text('SELECT coalesce(max("index") + 1, 0) FROM audit_leaf')) or 0)


def frontier_at(session: Session, size: int) -> Frontier:
    """Return the tree at a size, ready to grow.

    Raises:
        Unavailable: a part of the tree is missing.
    """
    wanted = list(subtrees(0, size))
    known = _nodes(session, wanted)
    return Frontier(size, [known[node] for node in wanted])


def root_at(session: Session, size: int) -> bytes:
    """Return the root of the first `size` leaves."""
    return frontier_at(session, size).root() if size else EMPTY_ROOT


def inclusion_proof(session: Session, index: int, size: int) -> list[bytes]:
    """Return the path from a leaf to the root at a size.

    Raises:
        Invalid: there is no such leaf, or the log is not that long.
    """
    return _proof(session, size, inclusion_ranges, (index, size))


def consistency_proof(session: Session, first: int, second: int) -> list[bytes]:
    """Return the path that shows that the log of size `second` begins with that of size `first`.

    Raises:
        Invalid: the sizes are not in order, or the log is not that long.
    """
    return _proof(session, second, consistency_ranges, (first, second))


def leaf_of(session: Session, entry_id: int) -> int:
    """Return the index of an entry's leaf.

    Raises:
        Missing: it is not in the tree.
    """
    query = text('SELECT "index" FROM audit_leaf WHERE entry_id = :entry_id')
    index = session.scalar(query, {"entry_id": entry_id})
    if index is None:
        raise Missing(f"No entry {entry_id} is in the log.")
    return int(index)


def _proof(
    session: Session,
    size: int,
    ranges_of: Callable[[int, int], list[tuple[int, int]]],
    arguments: tuple[int, int],
) -> list[bytes]:
    length = leaf_count(session)
    if size > length:
        raise Invalid(f"The log has {length} entries, and not {size}.")
    try:
        ranges = ranges_of(*arguments)
    except BadProof as error:
        raise Invalid(str(error)) from None
    parts = [list(subtrees(start, end)) for start, end in ranges]
    known = _nodes(session, [node for part in parts for node in part])
    return [fold([known[node] for node in part]) for part in parts]


def _nodes(session: Session, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Return the hashes of nodes, given by level and index."""
    tiles: dict[int, set[int]] = {}
    for level, index in wanted:
        stored = level - level % TILE_LEVELS
        tiles.setdefault(stored, set()).add(index << level % TILE_LEVELS >> TILE_LEVELS)
    hashes = {stored: _read(session, stored, numbers) for stored, numbers in tiles.items()}
    known = {}
    for level, index in wanted:
        height = level % TILE_LEVELS
        first = index << height
        row = hashes[level - height].get(first >> TILE_LEVELS, {})
        try:
            below = [row[first + n] for n in range(1 << height)]
        except KeyError:
            raise Unavailable(
                f"The audit log's tree is damaged: node {index} of level {level} is not whole."
            ) from None
        known[level, index] = _complete(below)
    return known


def _read(session: Session, level: int, tiles: Iterable[int]) -> dict[int, dict[int, bytes]]:
    query, values = (_NODES, {"level": level}) if level else (_LEAVES, {})
    found: dict[int, dict[int, bytes]] = {}
    for tile, index, hashed in session.execute(query, {"tiles": sorted(tiles), **values}):
        found.setdefault(tile, {})[index] = bytes(hashed)
    return found


def _complete(row: list[bytes]) -> bytes:
    """Return the root over 1, 2, 4, ... hashes."""
    while len(row) > 1:
        row = [node_hash(row[n], row[n + 1]) for n in range(0, len(row), 2)]
    return row[0]
