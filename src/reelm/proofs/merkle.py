"""The Merkle tree hash and its proofs (RFC 9162, section 2.1)."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class BadProof(ValueError):
    """A proof does not lead to the root it is for; says why."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows: of each maximal complete subtree the root, the largest first."""

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self.size = size
        self.roots = list(roots)
        if len(self.roots) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} complete subtrees.")

    def copy(self) -> "Frontier":
        """Return a tree that grows apart from this one."""
        return Frontier(self.size, self.roots)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf's hash; return (level, index, hash) of each node that it completes."""
        completed = []
        level, index = 0, self.size
        while index & 1:
            leaf = node_hash(self.roots.pop(), leaf)
            level, index = level + 1, index >> 1
            completed.append((level, index, leaf))
        self.roots.append(leaf)
        self.size += 1
        return completed

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of leaves."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """Return the root of the tree."""
        return fold(self.roots) if self.roots else EMPTY_ROOT


def fold(roots: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees that become smaller from left to right."""
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (level, index) of the complete subtrees that make up leaves `start` to `end`."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaves under each node of an inclusion proof, from the leaf upwards.

    Raises:
        BadProof: there is no such leaf.
    """
    if not 0 <= index < size:
        raise BadProof(f"A tree of {size} leaves has no leaf {index}.")
    start, end, ranges = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """Return the leaves under each node of a consistency proof (section 2.1.4.1).

    Raises:
        BadProof: the sizes are not in order.
    """
    if not 0 < first <= second:
        raise BadProof(f"There is no proof from size {first} to size {second}.")
    start, end, is_whole, ranges = 0, second, True, []
    while first < end:
        middle = start + _split(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, is_whole = middle, False
    if not is_whole:
        ranges.append((start, end))
    return ranges[::-1]


def _split(width: int) -> int:
    """Return the largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (section 2.1.3.2).

    Raises:
        BadProof: the path has the wrong length for this leaf and size.
    """
    if not 0 <= index < size:
        raise BadProof(f"A tree of {size} leaves has no leaf {index}.")
    root = leaf
    for node, is_left in zip(path, _sides(index, size - 1, len(path)), strict=True):
        root = node_hash(node, root) if is_left else node_hash(root, node)
    return root


def check_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of size `second` begins with that of size `first` (section 2.1.4.2).

    Raises:
        BadProof: the path does not lead to both roots, or the sizes are not in order.
    """
    if not 0 <= first <= second:
        raise BadProof(f"There is no proof from size {first} to size {second}.")
    if first in {0, second}:
        _check_same(first, first_root, second_root if first else EMPTY_ROOT, path)
        return
    nodes = list(path) if first & (first - 1) else [first_root, *path]
    if not nodes:
        raise BadProof("The path is too short.")
    shared = _trailing_ones(first - 1)
    old = new = nodes[0]
    sides = _sides((first - 1) >> shared, (second - 1) >> shared, len(nodes) - 1)
    for node, is_left in zip(nodes[1:], sides, strict=True):
        if is_left:
            old, new = node_hash(node, old), node_hash(node, new)
        else:
            new = node_hash(new, node)
    if old != first_root:
        raise BadProof(f"The path does not lead to the root of size {first}.")
    if new != second_root:
        raise BadProof(f"The path does not lead to the root of size {second}.")


def _check_same(size: int, root: bytes, other: bytes, path: Sequence[bytes]) -> None:
    if path:
        raise BadProof("The path is too long.")
    if root != other:
        raise BadProof(f"Two roots are given for size {size}.")


def _trailing_ones(number: int) -> int:
    return (~number & (number + 1)).bit_length() - 1


def _sides(position: int, last: int, length: int) -> list[bool]:
    """Return of each node of a path whether it is on the left.

    Raises:
        BadProof: a path of this length does not end at the root.
    """
    sides = []
    for _ in range(length):
        if last == 0:
            raise BadProof("The path is too long.")
        is_left = bool(position & 1) or position == last
        if is_left and not position & 1:
            # The last node of its level has no sibling there: it goes up as it is.
            skipped = (position & -position).bit_length() - 1
            position, last = position >> skipped, last >> skipped
        sides.append(is_left)
        position, last = position >> 1, last >> 1
    if last:
        raise BadProof("The path is too short.")
    return sides
