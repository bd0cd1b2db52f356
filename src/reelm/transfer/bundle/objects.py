"""Objects that rows name: copied ahead of the freeze, listed at the seal, checked by the buyer.

They are immutable and named by their digest, so a copy that is there stays right. A file of the
bundle is one object, encrypted to the buyer, under the SHA-256 of its plain bytes.
"""

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrage
from psycopg import Connection, sql
from sqlalchemy import MetaData, Text

from reelm.foundation.classes import Place, Transfer, declared
from reelm.foundation.errors import Invalid, Missing, Unavailable
from reelm.foundation.storage import ObjectStore
from reelm.proofs.closing import Excluded
from reelm.transfer.bundle.files import inside, write_encrypted
from reelm.transfer.bundle.rows import copied
from reelm.transfer.bundle.stays import MISSING, OBJECT
from reelm.transfer.bundle.tables import moved_tables

FOLDER = "objects"
# More than a few that are gone is a store that lost something, and no race.
MOST_MISSING = 1000
# Objects that are copied, checked or stored at once: each waits for the disk.
AT_ONCE = 8
BATCH = 256
_KEY = re.compile(r"([a-z][a-z0-9-]{0,40})/([0-9a-f]{2})/(\2[0-9a-f]{62})")


def file_name(sha256: str) -> str:
    """Return the name of an object's file in a bundle."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}.age"


def kind_and_digest(key: str) -> tuple[str, str]:
    """Return the kind of an object that goes along, and the digest of its bytes.

    Raises:
        Invalid: it is no key, or of a kind that stays.
    """
    found = _KEY.fullmatch(key)
    kinds = declared(Place.OBJECTS)
    if found is None or found[1] not in kinds:
        raise Invalid(f"{key[:120]!r} is no key of an object.")
    if kinds[found[1]].data.transfer is not Transfer.TRANSFER:
        raise Invalid(f"The object {key} is of a kind that stays with the seller.")
    return found[1], found[3]


def named_keys(connection: Connection[Any], metadata: MetaData) -> Iterator[str]:
    """Yield the key of each object that a row names which goes along, once, in order."""
    names = [
        sql.SQL("SELECT {column} AS key FROM {table} WHERE {column} IS NOT NULL").format(
            column=sql.Identifier(column), table=sql.Identifier("public", table)
        )
        for table, column in _columns(metadata)
    ]
    query = sql.SQL('SELECT key FROM ({}) AS named ORDER BY key COLLATE "C"').format(
        sql.SQL(" UNION ").join(names)
    )
    for piece in copied(connection, query):
        yield from piece.decode().splitlines()


def _columns(metadata: MetaData) -> Iterator[tuple[str, str]]:
    moved = {table.name for table in moved_tables(metadata)}
    for name, table in sorted(metadata.tables.items()):
        for column in table.columns if name in moved else ():
            is_named = column.name == "object" or column.name.endswith("_object")
            if is_named and isinstance(column.type, Text):
                yield str(name), str(column.name)


@dataclass
class Copies:
    """Copies objects into a bundle, encrypted to the buyer; what is there is not copied again.

    A rehearsal copies none: it only asks how large they are.
    """

    store: ObjectStore
    folder: Path
    recipient: pyrage.x25519.Recipient
    is_copying: bool = True
    copied: int = 0
    missing: list[Excluded] = field(default_factory=list)

    def add(self, key: str) -> int | None:
        """Copy an object; return its size, or None where the store does not have it.

        Raises:
            Invalid: its bytes are not those that its key names.
            Unavailable: too many are not in the store.
        """
        _, digest = kind_and_digest(key)
        try:
            size_bytes = self.store.size_bytes(key)
            if self.is_copying and not inside(self.folder, file_name(digest)).exists():
                write_encrypted(
                    self.folder, file_name(digest), self._checked(key, digest), self.recipient
                )
                self.copied += 1
        except Missing:
            self._note_missing(key)
            return None
        return size_bytes

    def add_all(self, keys: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Copy objects, several at once; yield key and size of each that is there, in order."""
        waiting = list[str]()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for key in keys:
                waiting.append(key)
                if len(waiting) == BATCH:
                    yield from self._added(pool, waiting)
                    waiting = []
            yield from self._added(pool, waiting)

    def _added(self, pool: ThreadPoolExecutor, keys: list[str]) -> Iterator[tuple[str, int]]:
        # Two kinds may have one object; whoever comes second must find it there.
        once = {kind_and_digest(key)[1]: key for key in keys}
        for _ in pool.map(self.add, once.values()):
            continue
        for key in keys:
            size_bytes = self.add(key)
            if size_bytes is not None:
                yield key, size_bytes

    def _checked(self, key: str, digest: str) -> Iterator[bytes]:
        found = hashlib.sha256()
        for chunk in self.store.chunks(key):
            found.update(chunk)
            yield chunk
        if found.hexdigest() != digest:
            raise Invalid(f"The object {key} holds other bytes than its key says.")

    def _note_missing(self, key: str) -> None:
        reason = "A row names it, and it is not in the store."
        one = Excluded(OBJECT, key, MISSING, reason, 1)
        if one not in self.missing:
            self.missing.append(one)
        if len(self.missing) > MOST_MISSING:
            raise Unavailable(f"More than {MOST_MISSING} objects are not in the store.")


class Digests:
    """A set of digests in eight bytes each: a million objects take 8 MB."""

    def __init__(self) -> None:
        self._starts = array("Q")
        self._sorted = 0

    def add(self, digest: str) -> None:
        """Take a digest in."""
        self._starts.append(int(digest[:16], 16))

    def __contains__(self, digest: str) -> bool:
        if self._sorted != len(self._starts):
            self._starts = array("Q", sorted(self._starts))
            self._sorted = len(self._starts)
        start = int(digest[:16], 16)
        at = bisect_left(self._starts, start)
        return at < len(self._starts) and self._starts[at] == start


def strays(folder: Path, known: Digests) -> Iterator[Path]:
    """Yield each file among a bundle's objects that is none of those known."""
    top = folder / FOLDER
    for path in sorted(top.rglob("*")) if top.is_dir() else ():
        digest = path.name.removesuffix(".age")
        is_named = path.is_file() and path.relative_to(folder).as_posix() == file_name(digest)
        is_folder = path.is_dir() and not path.is_symlink() and path.parent == top
        if not is_folder and not (
            is_named and re.fullmatch(r"[0-9a-f]{64}", digest) and digest in known
        ):
            yield path
