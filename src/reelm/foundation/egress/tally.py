"""Count refusals without waiting for anything, and leave them where the worker finds them.

Counting happens inside an audit hook and beside a waiting child, so it adds to a number and does
nothing else. A thread writes the numbers to a file of its own process, which the worker collects
(regions/egress.py). However many refusals there are, a file holds `MOST_KINDS` lines a round.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

FOLDER = "egress"
EVERY_S = 2.0
MOST_KINDS = 32
OTHERS = "others"


class Refusal(msgspec.Struct, frozen=True):
    """What was refused to whom, by which layer; `to` is an address of a network, never a name."""

    process: str
    layer: str
    kind: str
    to: str


class Counted(msgspec.Struct, frozen=True):
    """One line of a file."""

    refusal: Refusal
    count: int


class Tally:
    """The refusals that this process has seen since they were last written."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._counts: Counter[Refusal] = Counter()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Write what is counted every two seconds, until this process ends."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        threading.Thread(target=self._write_for_ever, name="egress-tally", daemon=True).start()

    def count(self, refusal: Refusal) -> None:
        """Count a refusal; does not wait, does not fail."""
        # In an audit hook even of the thread that holds it: to lose a count is better than to stop.
        if not self._lock.acquire(blocking=False):
            return
        try:
            if refusal not in self._counts and len(self._counts) >= MOST_KINDS:
                refusal = Refusal(refusal.process, refusal.layer, refusal.kind, OTHERS)
            self._counts[refusal] += 1
        finally:
            self._lock.release()

    def write(self) -> None:
        """Append what is counted to this process's file."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts:
            lines = [msgspec.json.encode(Counted(r, n)) + b"\n" for r, n in counts.items()]
            path = self._folder / f"refusals-{os.getpid()}.jsonl"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(b"".join(lines))

    def _write_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_S):
            with suppress(OSError):  # a full disk: the next round counts from nought
                self.write()


def take(home: Path) -> dict[Refusal, int]:
    """Return what all processes have written, and forget it."""
    counts: Counter[Refusal] = Counter()
    for path in sorted((home / FOLDER).glob("refusals-*.jsonl")):
        taken = path.with_suffix(".taken")
        path.rename(taken)  # whoever writes now makes a new file
        for counted in _lines(taken):
            counts[counted.refusal] += counted.count
        taken.unlink()
    return dict(counts)


def _lines(path: Path) -> Iterator[Counted]:
    for line in path.read_bytes().splitlines():
        with suppress(msgspec.DecodeError):  # the end of a line that a full disk cut off
            yield msgspec.json.decode(line, type=Counted)
