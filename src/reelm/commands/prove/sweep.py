"""Look for tokens in bytes, in each of the forms in which text gets written."""

import base64
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import msgspec


class Found(msgspec.Struct, frozen=True):
    """A token where it must not be."""

    field: str
    place: str
    form: str


PIECE_BYTES = 8 << 20
# Longer than any form of a token, so that none is cut by the end of a piece.
OVERLAP_BYTES = 256


class Sweep:
    """Searches for many tokens at once.

    All begin with the same mark: it is looked for in one pass, and the tokens only around it.
    """

    def __init__(self, tokens: dict[str, str], mark: str) -> None:
        self._patterns = [
            (field, name, form(text.encode()))
            for field, text in tokens.items()
            for name, form in _FORMS.items()
        ]
        marks = (form(mark.encode()).pattern for form in _FORMS.values())
        self._marks = re.compile(b"|".join(marks), re.DOTALL)

    def bytes(self, place: str, data: bytes) -> Iterator[Found]:
        """Yield each token that is in `data`."""
        seen: set[Found] = set()
        for hit in self._marks.finditer(data):
            around = data[max(0, hit.start() - 8) : hit.start() + OVERLAP_BYTES]
            for field, name, pattern in self._patterns:
                found = Found(field, place, name)
                if found not in seen and pattern.search(around):
                    seen.add(found)
                    yield found

    def folder(self, folder: Path, without: Collection[str] = ()) -> Iterator[Found]:
        """Yield each token in the files below a folder, their names included.

        Args:
            folder: where to look.
            without: names of entries right below it that are looked at elsewhere.
        """
        for path in _files(folder, without):
            place = str(path.relative_to(folder.parent))
            yield from self.bytes(f"the name of {place}", place.encode())
            yield from self.file(place, path)

    def file(self, place: str, path: Path) -> Iterator[Found]:
        """Yield each token in a file, once for each form."""
        seen: set[Found] = set()
        rest = b""
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                data = rest + piece
                for found in self.bytes(place, data):
                    if found not in seen:
                        seen.add(found)
                        yield found
                rest = data[-OVERLAP_BYTES:]


def _files(folder: Path, without: Collection[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in without or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path, ())
        elif path.is_file():
            yield path


def _any(texts: Iterable[bytes]) -> "re.Pattern[bytes]":
    return re.compile(b"|".join(map(re.escape, texts)))


def _base64(data: bytes) -> list[bytes]:
    """Return what base64 makes of the middle of `data` at each of the three alignments."""
    found = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        # The first and last group hold bits of what stands beside it.
        found.append(encoded[4 if shift else 0 : (shift + len(data)) // 3 * 4])
    return found


def _pglz(data: bytes) -> "re.Pattern[bytes]":
    """Match `data` as PostgreSQL's own compression leaves what it cannot shorten.

    It writes a byte of flags before each eight pieces (common/pg_lzcompress.c), and random digits
    are pieces of one byte; so one byte may stand anywhere, and then after each eight.
    """
    cuts = []
    for first in range(8):
        parts = [data[:first], *(data[i : i + 8] for i in range(first, len(data), 8))]
        cuts.append(b"[\\x00-\\xff]".join(re.escape(part) for part in parts))
    return re.compile(b"|".join(cuts), re.DOTALL)


_FORMS: dict[str, Callable[[bytes], "re.Pattern[bytes]"]] = {
    "plain": lambda data: _any([data, data.upper()]),
    "UTF-16": lambda data: _any([data.decode().encode("utf-16-le")]),
    "hexadecimal": lambda data: _any([data.hex().encode(), data.hex().upper().encode()]),
    "base64": lambda data: _any(_base64(data)),
    "compressed by PostgreSQL": _pglz,
}
