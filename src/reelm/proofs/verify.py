"""Verify an exported audit log from its bytes alone: no database, no trust in its operator.

Everything is computed anew. What cannot be told from one file is told from what others hold: the
cosignatures of witnesses whose keys are given, and checkpoints that were kept from before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from reelm.foundation.errors import Invalid
from reelm.proofs.differ import first_difference
from reelm.proofs.entries import Entries
from reelm.proofs.exported import CheckpointLine, End, read_header, read_other, split_hashes
from reelm.proofs.keys import origin_of
from reelm.proofs.merkle import Frontier, leaf_hash
from reelm.proofs.note import Checkpoint, Note, VerifierKey, log_key
from reelm.proofs.report import Fault, FaultName, Report, Witnessed

PROGRESS_EVERY = 1000
# A longer line is none of an export: batches of entries are far smaller.
MAX_LINE_BYTES = 64 << 20


@dataclass(frozen=True)
class Expected:
    """What whoever verifies knows beforehand.

    Args:
        origin: the log's name.
        witnesses: keys of witnesses that have to have cosigned.
        previous: checkpoints that were seen before.
    """

    origin: str | None = None
    witnesses: Sequence[VerifierKey] = ()
    previous: Sequence[Note] = ()


def verify_export(
    lines: Iterable[bytes],
    expected: Expected | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Verify an export; the report names everything that is wrong.

    Args:
        lines: the lines of the file, each with its newline.
        expected: what is known beforehand.
        on_progress: is told how many leaves of how many are read.
    """
    return _Verifier(expected or Expected(), on_progress).run(lines)


@dataclass
class _Verifier:
    expected: Expected
    on_progress: Callable[[int, int], None] | None
    faults: list[Fault] = field(default_factory=list)
    origin: str = ""
    size: int = 0  # as the header says
    tree: Frontier = field(default_factory=Frontier)
    # The tree at the last checkpoint, and the leaves that came since.
    last: Frontier = field(default_factory=Frontier)
    since: list[tuple[bytes, bytes]] = field(default_factory=list)
    entries: Entries = field(default_factory=Entries)
    checkpoints: int = 0
    witnessed: dict[str, Witnessed] = field(default_factory=dict)
    previous: list[tuple[Note, Checkpoint]] = field(default_factory=list)
    end: int | None = None

    def run(self, lines: Iterable[bytes]) -> Report:
        """Read all lines, stopping where nothing further can be told."""
        lines = iter(lines)
        if self._begin(next(lines, b"")):
            for line in lines:
                if not self._read(line):
                    break
            else:
                self._finish()
        for fault in self.entries.faults():
            self._add(fault.name, fault.sentence, fault.index, fault.entry_id)
        return Report(
            origin=self.origin,
            size=self.last.size,
            root=self.last.root().hex(),
            key=self.entries.key.hex(),
            checkpoints=self.checkpoints,
            kinds=dict(sorted(self.entries.kinds.items())),
            witnessed=self.witnessed,
            faults=self.faults,
        )

    def _begin(self, line: bytes) -> bool:
        try:
            header = read_header(line)
        except Invalid as error:
            self._add("not_an_export", error.sentence)
            return False
        self.origin, self.size = header.origin, header.size
        first_key = bytes.fromhex(header.first_key)
        self.entries.begin(header.origin, first_key)
        if self.expected.origin not in {None, header.origin}:
            told = f"This is the log {header.origin}, and not {self.expected.origin}."
            self._add("other_log", told)
        if origin_of(first_key) != header.origin:
            self._add(
                "re-signed",
                f"The origin {header.origin} does not follow from the log's first key: "
                "somebody else has signed it.",
                0,
            )
        self._take_previous()
        return True

    def _take_previous(self) -> None:
        for note in self.expected.previous:
            checkpoint = Checkpoint.parse(note.text)
            if checkpoint.origin != self.origin:
                told = f"The checkpoint from before is of {checkpoint.origin}."
                self._add("other_log", told)
            else:
                self.previous.append((note, checkpoint))
        self.previous.sort(key=lambda pair: pair[1].size)

    def _read(self, line: bytes) -> bool:
        """Read one line; return whether reading on makes sense."""
        if not line.endswith(b"\n") or len(line) > MAX_LINE_BYTES or self.end is not None:
            self._add("truncated", "The file is cut off within a line, or goes on after its end.")
            return False
        line = line[:-1]
        try:
            other = read_other(line)
        except Invalid as error:
            self._add("not_an_entry", error.sentence, self.tree.size)
            return False
        if isinstance(other, CheckpointLine):
            return self._read_checkpoint(other)
        if isinstance(other, End):
            self.end = other.end
            return True
        hashed = leaf_hash(line)
        self.since.append((hashed, line))
        self.tree.append(hashed)
        if self.on_progress and self.tree.size % PROGRESS_EVERY == 0:
            self.on_progress(self.tree.size, self.size)
        return True

    def _read_checkpoint(self, line: CheckpointLine) -> bool:
        try:
            note = Note.parse(line.checkpoint)
            checkpoint = Checkpoint.parse(note.text)
        except Invalid as error:
            self._add("forged_signature", error.sentence, self.last.size)
            return False
        if checkpoint.origin != self.origin:
            self._add("other_log", f"A checkpoint is of {checkpoint.origin}.", self.last.size)
            return False
        if checkpoint.size <= self.last.size:
            return self._goes_back(note, checkpoint)
        if not self._agrees(checkpoint, split_hashes(line.leaf_hashes)):
            return False
        self._check_signature(note, checkpoint)
        self._check_witnesses(note, checkpoint)
        self.checkpoints += 1
        return True

    def _goes_back(self, note: Note, checkpoint: Checkpoint) -> bool:
        key = log_key(self.origin, self.entries.key)
        is_signed = any(one.verifies(key, note.text) for one in note.by(key))
        last = self.last.size
        if checkpoint.size == last and checkpoint.root != self.last.root():
            by = "the log's own key" if is_signed else "somebody else"
            told = f"Two roots are given for size {last}; the second is signed by {by}."
            self._add("forked", told, max(last - 1, 0))
        else:
            told = f"A checkpoint of size {checkpoint.size} comes after the one of size {last}."
            self._add("rolled_back", told, checkpoint.size)
        return True

    def _agrees(self, checkpoint: Checkpoint, told: list[bytes]) -> bool:
        """Compare the leaves since the last checkpoint with what was signed; say what differs."""
        is_same = self.tree.size == checkpoint.size and self.tree.root() == checkpoint.root
        if not is_same:
            signed = self.last.copy()
            signed.extend(told)
            if signed.size != checkpoint.size or signed.root() != checkpoint.root:
                self._disagrees(checkpoint)
                return False
            self.faults.append(first_difference(self.last.size, self.since, told, self.entries))
            self.tree = signed
        signed_hashes = None if is_same else set(told)
        for index, (hashed, line) in enumerate(self.since, self.last.size):
            if signed_hashes is None or hashed in signed_hashes:
                self.entries.take(index, line)
        self._check_previous(self.last, [h for h, _ in self.since] if is_same else told)
        self.last, self.since = self.tree.copy(), []
        return True

    def _disagrees(self, checkpoint: Checkpoint) -> None:
        first, there, size = self.last.size, self.tree.size, checkpoint.size
        entry_id = self.entries.id_of(self.since[0][1]) if self.since else None
        if there < size:
            name: FaultName = "missing"
            told = f"{size - there} of the entries {first} to {size - 1} are missing."
        elif there > size:
            name = "inserted"
            told = f"{there - size} entries too many stand between {first} and {there - 1}."
        else:
            name = "edited"
            told = (
                f"The entries {first} to {size - 1} are not those for which the checkpoint of size "
                f"{size} was signed; the first that may be wrong is {first}."
            )
        self._add(name, told, first, entry_id)

    def _check_signature(self, note: Note, checkpoint: Checkpoint) -> None:
        key = log_key(self.origin, self.entries.key)
        lines = note.by(key)
        if not lines:
            told = (
                f"The checkpoint of size {checkpoint.size} is not signed by the log's key: another "
                "key signed it, and no entry hands the log over to that one."
            )
            self._add("re-signed", told, checkpoint.size - 1)
        elif not all(one.verifies(key, note.text) for one in lines):
            told = f"The log's signature of the checkpoint of size {checkpoint.size} is forged."
            self._add("forged_signature", told, checkpoint.size - 1)

    def _check_witnesses(self, note: Note, checkpoint: Checkpoint) -> None:
        for key in self.expected.witnesses:
            for one in note.by(key):
                if one.verifies(key, note.text):
                    seen = Witnessed(checkpoint.size, one.timestamp)
                    self.witnessed[key.name] = seen
                else:
                    told = f"The cosignature of {key.name} on size {checkpoint.size} is forged."
                    self._add("forged_witness", told, checkpoint.size - 1)

    def _check_previous(self, before: Frontier, hashes: Sequence[bytes]) -> None:
        """Compare what was seen before with the tree at that size, on the way there."""
        tree, end = before.copy(), before.size + len(hashes)
        while self.previous and self.previous[0][1].size <= end:
            note, checkpoint = self.previous.pop(0)
            tree.extend(hashes[tree.size - before.size : checkpoint.size - before.size])
            if tree.root() != checkpoint.root:
                told = (
                    f"The checkpoint from before has another root for size {checkpoint.size}: "
                    "the log was written anew."
                )
                self._add("forked", told, max(checkpoint.size - 1, 0))
            self._check_witnesses(note, checkpoint)

    def _finish(self) -> None:
        if self.since:
            told = f"No checkpoint covers the entries from {self.last.size} on."
            self._add("unsigned", told, self.last.size, self.entries.id_of(self.since[0][1]))
        if {self.end, self.size} != {self.last.size}:
            ends = "it has no end line" if self.end is None else f"its end line says {self.end}"
            told = f"{self.last.size} entries are signed; the header says {self.size}, {ends}."
            self._add("truncated", told, self.last.size)
        for _, checkpoint in self.previous:
            told = (
                f"The checkpoint from before is of size {checkpoint.size}, and the log ends at "
                f"{self.last.size}: it went back."
            )
            self._add("rolled_back", told, self.last.size)
        for key in self.expected.witnesses:
            if key.name not in self.witnessed:
                self._add("not_witnessed", f"{key.name} has cosigned no checkpoint of this log.")

    def _add(
        self, name: FaultName, sentence: str, index: int | None = None, entry_id: str | None = None
    ) -> None:
        self.faults.append(Fault(name, sentence, index, entry_id))
