"""Name what was done to the leaves under a checkpoint, where their signed hashes are known."""

from collections.abc import Sequence
from typing import Protocol

from reelm.proofs.report import Fault, FaultName


class Ids(Protocol):
    """Knows entries by their ids."""

    def id_of(self, line: bytes) -> str | None:
        """Return the id of an entry."""

    def has(self, entry_id: str | None) -> bool:
        """Whether an entry with this id came before."""


def first_difference(
    start: int, found: Sequence[tuple[bytes, bytes]], signed: Sequence[bytes], ids: Ids
) -> Fault:
    """Return the first fault.

    Args:
        start: index of the first leaf.
        found: hash and bytes of each leaf as it is in the file.
        signed: the hashes that lead to the signed root.
        ids: tells ids, and which came before.
    """
    hashes = [hashed for hashed, _ in found]
    pairs = zip(hashes, signed, strict=False)
    at = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
    if at is None:
        at = min(len(hashes), len(signed))
    entry_id = ids.id_of(found[at][1]) if at < len(found) else None
    name = _name(hashes, signed, at)
    if name == "inserted" and (
        ids.has(entry_id) or entry_id in {ids.id_of(line) for _, line in found[:at]}
    ):
        name = "duplicated"
    told = _SENTENCES[name].format(index=start + at, entry=_named(entry_id))
    return Fault(name, told, start + at, None if name == "missing" else entry_id)


def _name(hashes: Sequence[bytes], signed: Sequence[bytes], at: int) -> FaultName:
    here, there = set(hashes), set(signed)
    if at >= len(hashes):
        return "missing"
    if at >= len(signed):
        return "inserted"
    if signed[at] in here:
        return "reordered" if hashes[at] in there and hashes[at] not in signed[:at] else "inserted"
    return "missing" if hashes[at] in there else "edited"


_SENTENCES: dict[FaultName, str] = {
    "edited": "Entry {index}{entry} was edited: it is not what was signed.",
    "missing": "Entry {index} is missing: it was deleted after it was signed.",
    "inserted": "Entry {index}{entry} was inserted: it was never signed.",
    "duplicated": "Entry {index}{entry} stands there twice.",
    "reordered": "Entry {index}{entry} is not in its place: the order was changed.",
}


def _named(entry_id: str | None) -> str:
    return "" if entry_id is None else f" (id {entry_id})"
