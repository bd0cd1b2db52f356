"""The Range header of one file (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"^[ \t]*(\d{0,100})-(\d{0,100})[ \t]*$", re.ASCII)


@dataclass(frozen=True)
class ByteRange:
    """Bytes `start` to `end`, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start + 1


class Unsatisfiable(Exception):
    """No byte of the file lies in the range that was asked for."""


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """Return the first range of a Range header, or None where the header is to be ignored.

    Of several ranges only the first is answered: RFC 9110 lets a server ignore the others, and
    a multipart answer would let one small request cost many reads.

    Raises:
        Unsatisfiable: the range lies outside the file, or cannot be read.
    """
    if header is None:
        return None
    unit, separator, ranges = header.partition("=")
    if not separator or unit.strip().lower() != "bytes":
        return None
    found = _RANGE.match(ranges.split(",")[0])
    if found is None or found.group(1) == found.group(2) == "":
        raise Unsatisfiable
    first, last = found.groups()
    if first == "":
        length = min(int(last), size_bytes)
        start, end = size_bytes - length, size_bytes - 1
    else:
        start = int(first)
        end = min(int(last), size_bytes - 1) if last else size_bytes - 1
        if last and int(last) < start:
            raise Unsatisfiable
    if start > end or start >= size_bytes:
        raise Unsatisfiable
    return ByteRange(start, end)
