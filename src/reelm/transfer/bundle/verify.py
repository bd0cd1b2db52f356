"""Verify a bundle before anything is used: every root is computed again from what it holds."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage

from reelm.foundation.errors import Invalid
from reelm.transfer.bundle.files import FileFact, inside, read_encrypted
from reelm.transfer.bundle.model import read_model
from reelm.transfer.bundle.objects import AT_ONCE, Digests, file_name, kind_and_digest, strays
from reelm.transfer.bundle.opened import Expected, Opened, open_bundle
from reelm.transfer.bundle.reading import read_list, read_table
from reelm.transfer.bundle.rekey import Lines
from reelm.transfer.bundle.streams import Sink

Say = Callable[[str], None]
_MOST_OBJECT_BYTES = 1 << 40


def verify_rows(
    folder: Path,
    identity: pyrage.x25519.Identity,
    expected: Expected,
    say: Say = lambda _: None,
) -> Opened:
    """Verify the tables of a bundle and its list of objects, and no object: for a rehearsal.

    Raises:
        Invalid: as `verify` says.
    """
    opened = open_bundle(folder, identity, expected)
    for name in opened.tables:
        say(f"Verifying {name}.")
        read_table(opened, name)
    read_list(opened, _nothing)
    return opened


def verify(
    folder: Path,
    identity: pyrage.x25519.Identity,
    expected: Expected,
    say: Say = lambda _: None,
) -> Opened:
    """Verify a bundle whole and return it opened; nothing of it is kept or executed.

    Raises:
        Invalid: it is not what the seller closed; names the file, table, leaf or object.
    """
    opened = verify_rows(folder, identity, expected, say)
    say("Verifying objects.")
    check_objects(opened, lambda one: verify_object(opened, *one, _nothing))
    read_model(opened, _nothing)
    return opened


def check_objects(opened: Opened, visit: Callable[[tuple[str, int]], None]) -> None:
    """Read the signed list of objects, visit each by key and size, and refuse files of others.

    Raises:
        Invalid: the list is not the one that was closed, or a file is of no object; names it.
    """
    known, totals = Digests(), [0, 0]
    found = list[tuple[str, int]]()

    def take(line: bytes) -> bytes:
        key, size_bytes, digest = _object_of(line)
        known.add(digest)
        totals[0], totals[1] = totals[0] + 1, totals[1] + size_bytes
        found.append((key, size_bytes))
        return b""

    lines = Lines(take)

    def visited(piece: bytes) -> None:
        lines.feed(piece)
        # Several at once, as each waits for the disk.
        for _ in pool.map(visit, found):
            continue
        found.clear()

    # Read once before anything is visited: what is not signed is not acted upon.
    read_list(opened, _nothing)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read_list(opened, visited)
    lines.end()
    closed = opened.manifest.objects
    if totals != [closed.count, closed.bytes]:
        raise Invalid("The list of objects has another number or size than the manifest says.")
    for path in strays(opened.folder, known):
        name = path.relative_to(opened.folder).as_posix()
        raise Invalid(f"The bundle has an object that no row names: {name[:120]}.")


def verify_object(opened: Opened, key: str, size_bytes: int, sink: Sink) -> None:
    """Read an object of the bundle and check its bytes; `sink` is given them.

    Raises:
        Invalid: it is missing, or other bytes; names it.
    """
    _, digest = kind_and_digest(key)
    path = inside(opened.folder, file_name(digest))
    found, totals = hashlib.sha256(), [0]

    def take(piece: bytes) -> None:
        found.update(piece)
        totals[0] += len(piece)
        if totals[0] > size_bytes:
            raise Invalid(f"The object {key} is larger than it was.")
        sink(piece)

    try:
        # Its own digest is in its key, so none of the encrypted bytes is needed.
        read_encrypted(opened.folder, _fact(opened.folder, path), opened.identity, take)
    except (Invalid, OSError) as error:
        raise Invalid(f"The object {key} cannot be read from the bundle: {error}") from None
    if (found.hexdigest(), totals[0]) != (digest, size_bytes):
        raise Invalid(f"The object {key} holds other bytes than its key says.")


def _fact(folder: Path, path: Path) -> FileFact:
    size_bytes = path.stat().st_size
    if size_bytes > _MOST_OBJECT_BYTES:
        raise Invalid("its file is too large")
    return FileFact(path.relative_to(folder).as_posix(), size_bytes, "")


def _object_of(line: bytes) -> tuple[str, int, str]:
    try:
        key, size, digest = line.decode("ascii").split("\t")
        known = kind_and_digest(key)[1]
        if digest != known or not (size.isdigit() and len(size) <= 15):
            raise Invalid(f"The list of objects has a line that is none: {key[:120]}.")
        return key, int(size), digest
    except ValueError:
        raise Invalid("The list of objects has a line that is none.") from None


def _nothing(_: bytes) -> None:
    return None
