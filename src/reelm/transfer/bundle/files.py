"""Files of a bundle: encrypted to the buyer as they are written, and read as hostile input.

A file of text is a row of frames, each the lengths of its compressed and its plain bytes (32 bits
each, big-endian) and one zstd frame (RFC 8878) of at most FRAME_BYTES: whoever reads knows before
how much comes out of it. The whole is encrypted by age. zstd at level 1 was 2.7 times as fast as
zlib at level 1 on rows of the log of signals, and a fifth smaller.
"""

import contextlib
import hashlib
import os
import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
import pyrage

from reelm.foundation.durable import FULL, sync
from reelm.foundation.errors import Invalid, Unavailable
from reelm.foundation.pieces import Pieces
from reelm.transfer.bundle.streams import Digested, Sink, Target, Written

FRAME_BYTES = 1 << 20
# What zstd may add to bytes that it cannot make smaller (ZSTD_COMPRESSBOUND), and its header.
_ROOM = 1 << 14
_HEAD = struct.Struct(">II")
_ZSTD = pa.Codec("zstd", compression_level=1)
_NAME = re.compile(r"[a-z0-9_]{1,63}(/[a-z0-9_-]{1,80}){0,2}\.(age|json)", re.ASCII)

_NO_ROOM = (
    "There is no room left in {folder}: make some and begin again. What is written stays, and is"
    " gone on from."
)


class FileFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An encrypted file of a bundle: its name in it, its size and the digest of its bytes.

    The digest is empty where what is inside has one of its own.
    """

    name: str
    size_bytes: int
    sha256: str


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file of a bundle.

    Raises:
        Invalid: no bundle has a file of that name, or it is a link.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(f"No bundle holds a file named {name[:80]!r}.")
    path = folder / name
    if path.is_symlink() or any(part.is_symlink() for part in (path.parent, path.parent.parent)):
        raise Invalid(f"{name} of the bundle is a link, or in one.")
    return path


def write_frames(
    folder: Path, name: str, pieces: Iterable[bytes], recipient: pyrage.x25519.Recipient
) -> FileFact:
    """Write text, compressed and encrypted to the buyer; durable before it has its name."""
    return write_encrypted(folder, name, _frames(pieces), recipient)


def write_encrypted(
    folder: Path, name: str, pieces: Iterable[bytes], recipient: pyrage.x25519.Recipient
) -> FileFact:
    """Write bytes encrypted to the buyer, durable before the file has its name."""
    source = Pieces(pieces)
    with _new(inside(folder, name)) as file:
        try:
            pyrage.encrypt_io(source, file, [recipient])
        except (pyrage.EncryptError, OSError) as error:
            reason = Unavailable(f"{name} could not be written: {error}.")
            raise source.error or file.error or reason from None
        return FileFact(name, file.size_bytes, file.digest.hexdigest())


def write_plain(folder: Path, name: str, data: bytes) -> FileFact:
    """Write a small plain file, its bytes durable before it has its name."""
    with _new(inside(folder, name)) as file:
        file.write(data)
        return FileFact(name, file.size_bytes, file.digest.hexdigest())


def read_frames(folder: Path, fact: FileFact, identity: pyrage.x25519.Identity, sink: Sink) -> None:
    """Give the text of a file to `sink`, in pieces of at most FRAME_BYTES.

    Raises:
        Invalid: it is not the file that is meant; names it.
    """
    frames = _Frames(sink)
    read_encrypted(folder, fact, identity, frames.feed)
    frames.end(fact.name)


def read_encrypted(
    folder: Path, fact: FileFact, identity: pyrage.x25519.Identity, sink: Sink
) -> None:
    """Give the bytes of a file to `sink`, in pieces.

    Raises:
        Invalid: it is missing, changed, or encrypted to somebody else; names it.
    """
    path, target = inside(folder, fact.name), Target(sink)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != fact.size_bytes:
                raise Invalid(f"{fact.name} of the bundle is not {fact.size_bytes} bytes long.")
            digested = Digested(file)
            pyrage.decrypt_io(digested, target, [identity])
            digested.finish()
    except (pyrage.DecryptError, OSError) as error:
        if target.error is not None:
            raise target.error from None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Invalid(f"{fact.name} of the bundle cannot be read: {reason}.") from None
    if fact.sha256 and digested.digest.hexdigest() != fact.sha256:
        raise Invalid(f"{fact.name} of the bundle was changed.")


def read_small(
    folder: Path, fact: FileFact, identity: pyrage.x25519.Identity, most_bytes: int
) -> bytes:
    """Return the bytes of a file that is known to be small; as `read_encrypted`."""
    found = bytearray()

    def take(piece: bytes) -> None:
        """Keep a piece, as long as all of them are small."""
        found.extend(piece)
        if len(found) > most_bytes:
            raise Invalid(f"{fact.name} of the bundle holds more than {most_bytes} bytes.")

    read_encrypted(folder, fact, identity, take)
    return bytes(found)


def is_whole(folder: Path, fact: FileFact) -> bool:
    """Whether a file lies there as it was written."""
    try:
        with inside(folder, fact.name).open("rb") as file:
            if os.fstat(file.fileno()).st_size != fact.size_bytes:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == fact.sha256
    except OSError:
        return False


def sync_names(top: Path) -> None:
    """Make the names of all files below a folder durable; their bytes were when they got them."""
    for folder in (top, *(path for path in top.rglob("*") if path.is_dir())):
        sync(folder)


@contextmanager
def _new(path: Path) -> Iterator[Written]:
    """Write a file under another name, make it durable, and give it its own."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            yield Written(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise Unavailable(_NO_ROOM.format(folder=path.parent)) from None
        raise


def _frames(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), FRAME_BYTES):
            plain = piece[start : start + FRAME_BYTES]
            packed = _ZSTD.compress(plain, asbytes=True)
            yield _HEAD.pack(len(packed), len(plain)) + packed


class _Frames:
    """Unpacks frames as their bytes come."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting = bytearray()

    def feed(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= _HEAD.size:
            packed_bytes, plain_bytes = _HEAD.unpack_from(self._waiting)
            if not 0 < plain_bytes <= FRAME_BYTES or packed_bytes > FRAME_BYTES + _ROOM:
                raise Invalid("A file of the bundle has a frame larger than any may be.")
            end = _HEAD.size + packed_bytes
            if len(self._waiting) < end:
                return
            packed = bytes(self._waiting[_HEAD.size : end])
            del self._waiting[:end]
            self._sink(_unpacked(packed, plain_bytes))

    def end(self, name: str) -> None:
        if self._waiting:
            raise Invalid(f"{name} of the bundle ends within a frame.")


def _unpacked(packed: bytes, plain_bytes: int) -> bytes:
    try:
        plain: bytes = _ZSTD.decompress(packed, plain_bytes, asbytes=True)
    except OSError:
        raise Invalid("A file of the bundle has a frame that is no zstd of its length.") from None
    return plain
