"""The journal in the region home: `winding-down/journal.jsonl`, which outlives the database.

Each line is on the disk before what it announces is begun, and after what it tells is done. A line
that a kill cut off was never acted upon: it is dropped when the journal is opened.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reelm.foundation.clock import now, utc_text
from reelm.foundation.database.embedded_lock import give_to_owner_of
from reelm.foundation.durable import sync
from reelm.foundation.errors import Conflict, Missing
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.proofs.journal import FIRST, Head, Line, digest_of_line, head_of, read_journal

FOLDER = "winding-down"
FILE = "journal.jsonl"


class Journal:
    """The lines so far, and the only way to add one."""

    def __init__(self, descriptor: int, text: bytes) -> None:
        self._descriptor = descriptor
        self.lines = read_journal(text)
        self._last = digest_of_line(text.splitlines()[-1]) if text else FIRST

    def append(self, kind: str, /, **facts: Any) -> Line:
        """Write a line, and return once it is on the disk."""
        line = Line(
            number=len(self.lines) + 1,
            previous=self._last,
            at=utc_text(now()),
            kind=kind,
            facts=facts,
        )
        text = canonical(line)
        os.write(self._descriptor, text + b"\n")
        os.fsync(self._descriptor)
        self.lines.append(line)
        self._last = digest_of_line(text)
        return line

    def of(self, *kinds: str) -> Iterator[Line]:
        """Yield the lines of these kinds, in order."""
        yield from (line for line in self.lines if line.kind in kinds)

    def has(self, kind: str) -> bool:
        """Whether there is a line of this kind."""
        return any(self.of(kind))

    @property
    def head(self) -> Head:
        """How many lines there are, and the digest of the last."""
        return Head(len(self.lines), self._last)


def folder_of(home: Home) -> Path:
    """Return the folder of journal and certificate."""
    return home.path / FOLDER


@contextmanager
def open_journal(home: Home) -> Iterator[Journal]:
    """Open the journal for writing; it is made where there is none.

    Raises:
        Conflict: another process winds this region down.
        Invalid: a line was changed.
    """
    folder = folder_of(home)
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        give_to_owner_of(home.path, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another process winds this region down: wait until it ends.") from None
        sync(folder)
        sync(home.path)
        yield Journal(descriptor, _whole_lines(descriptor, folder / FILE))
    finally:
        os.close(descriptor)


def read_text(home: Home) -> bytes:
    """Return the journal's text.

    Raises:
        Missing: nothing was wound down here.
    """
    try:
        text = (folder_of(home) / FILE).read_bytes()
    except FileNotFoundError:
        raise Missing(
            "This region has no journal of a wind-down: run `reelm transfer wind-down` first."
        ) from None
    head_of(text)
    return text


def _whole_lines(descriptor: int, path: Path) -> bytes:
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        os.ftruncate(descriptor, len(whole))
        os.fsync(descriptor)
    return whole
