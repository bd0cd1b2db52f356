"""Read and write the boxes of ISO media files (ISO/IEC 14496-12) that we made ourselves."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

Span = tuple[bytes, int, int]


def boxes(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """Yield (name, start of the body, end) of each box directly inside the given range."""
    stop = len(data) if end is None else end
    while start + 8 <= stop:
        size, name = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > stop:
            raise ValueError(f"box {name!r} at {start} has a wrong size")
        yield name, start + 8, start + size
        start += size


def find(
    data: bytes | bytearray, path: bytes, start: int = 0, end: int | None = None
) -> Span | None:
    """Return the first box at a path such as b"mdia/minf/stbl", or None."""
    first, _, rest = path.partition(b"/")
    for name, body, stop in boxes(data, start, end):
        if name == first:
            return find(data, rest, body, stop) if rest else (name, body, stop)
    return None


def body_of(data: bytes | bytearray, path: bytes) -> bytes:
    """Return the body of the box at a path; it must be there."""
    span = find(data, path)
    if span is None:
        raise ValueError(f"there is no {path.decode()} box")
    return bytes(data[span[1] : span[2]])


def box(name: bytes, *bodies: bytes) -> bytes:
    """Build one box."""
    body = b"".join(bodies)
    return struct.pack(">I4s", len(body) + 8, name) + body


def full_box(name: bytes, version: int, flags: int, *bodies: bytes) -> bytes:
    """Build one box with version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags), *bodies)


def top_level(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset, size) of each box of a file, without reading the bodies."""
    offset = 0
    while True:
        file.seek(offset)
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack_from(">I4s", head)
        if size == 1:
            (size,) = struct.unpack_from(">Q", head, 8)
        if size < 8:
            raise ValueError(f"box {name!r} at {offset} has a wrong size")
        yield name, offset, size
        offset += size
