"""What the entries themselves say of the log: its keys, its openings, ids that are there once."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from reelm.foundation.errors import Invalid
from reelm.proofs.keys import KEY_CHANGED, is_endorsed
from reelm.proofs.leaf import Leaf, commitment, read_leaf
from reelm.proofs.report import Fault

CONFIDENTIAL, OPENED = "confidential", "audit.opened"


@dataclass
class Entries:
    """Takes in one entry after the other."""

    origin: str = ""
    key: bytes = b""
    kinds: Counter[str] = field(default_factory=Counter)
    _ids: "array[int]" = field(default_factory=lambda: array("q"))
    _indexes: "array[int]" = field(default_factory=lambda: array("q"))
    _commitments: dict[str, str] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list)

    def begin(self, origin: str, first_key: bytes) -> None:
        """Take in which log it is, and which key signs it first."""
        self.origin, self.key = origin, first_key

    def take(self, index: int, line: bytes) -> None:
        """Take in an entry."""
        try:
            leaf = read_leaf(line)
        except Invalid as error:
            told = f"Entry {index} is signed, and is no entry. {error.sentence}"
            self._faults.append(Fault("not_an_entry", told, index))
            return
        self._ids.append(int(leaf.id))
        self._indexes.append(index)
        self.kinds[leaf.kind] += 1
        if leaf.kind == CONFIDENTIAL:
            self._commitments[leaf.id] = str(leaf.body.get("commitment"))
        elif leaf.kind == OPENED:
            self._open(index, leaf)
        elif leaf.kind == KEY_CHANGED:
            self._change_key(index, leaf)

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong, those that only show at the end included."""
        yield from self._faults
        if not self._ids:
            return
        ids = np.frombuffer(self._ids, dtype=np.int64)
        order = np.argsort(ids, kind="stable")
        again = order[1:][ids[order][1:] == ids[order][:-1]]
        if len(again):
            place = int(again.min())
            index, entry_id = self._indexes[place], str(self._ids[place])
            told = f"Entry {index} (id {entry_id}) stands in the log a second time."
            yield Fault("duplicated", told, index, entry_id)

    def id_of(self, line: bytes) -> str | None:
        """Return the id of an entry, or None where it is none."""
        try:
            return read_leaf(line).id
        except Invalid:
            return None

    def has(self, entry_id: str | None) -> bool:
        """Whether an entry with this id came before."""
        return entry_id is not None and int(entry_id) in self._ids

    def _open(self, index: int, leaf: Leaf) -> None:
        body = leaf.body
        opened = self._commitments.get(str(body.get("entry_id")))
        try:
            salt = bytes.fromhex(str(body.get("salt")))
        except ValueError:
            salt = b""
        if opened is None or commitment(salt, str(body.get("opened")).encode()) != opened:
            told = (
                f"Entry {index} (id {leaf.id}) opens entry {body.get('entry_id')} as something "
                "else than was committed to."
            )
            self._faults.append(Fault("forged_opening", told, index, leaf.id))

    def _change_key(self, index: int, leaf: Leaf) -> None:
        body = leaf.body
        try:
            old, new = (bytes.fromhex(str(body.get(name))) for name in ("old_key", "new_key"))
            endorsement, epoch = bytes.fromhex(str(body.get("endorsement"))), body.get("epoch")
        except ValueError:
            old, new, endorsement, epoch = b"", b"", b"", 0
        # Python counts true and false among the integers; JSON does not.
        is_right = type(epoch) is int and epoch >= 0 and old == self.key
        if is_right and is_endorsed(old, self.origin, new, cast("int", epoch), endorsement):
            self.key = new
            return
        told = f"Entry {index} (id {leaf.id}) changes the key without the old key's endorsement."
        self._faults.append(Fault("forged_key_change", told, index, leaf.id))
