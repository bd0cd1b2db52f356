"""Objects by the SHA-256 of their bytes, in a local folder or an S3-compatible store.

A key is `{kind}/{first two hex digits}/{sha256}`, and each kind declares its data class. An
object is written and made durable before the row that names it; the sweeper of room videos removes
what no row names.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import obstore
from obstore.store import LocalStore, S3Store

from reelm.foundation.classes import (
    DataClass,
    Erasure,
    Place,
    Residency,
    Transfer,
    declare,
    refuse_undeclared,
)
from reelm.foundation.config import StorageSettings
from reelm.foundation.durable import sync
from reelm.foundation.errors import Missing, Unavailable
from reelm.foundation.home import Home

CHUNK_BYTES = 1 << 20
# Where the folder is the root of a file system.
LOST_AND_FOUND = "lost+found"
CHECK = declare(
    Place.OBJECTS,
    "check",
    "sixteen random bytes, for a moment, to try the store",
    DataClass(Residency.REGION, Transfer.EXCLUDE, Erasure.EXPIRE, "Means nothing."),
)


@dataclass(frozen=True)
class StoredObject:
    """An object in the store."""

    key: str
    size_bytes: int
    modified_at: datetime | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class ObjectStore:
    """The region's object store; `folder` is set when it is a folder on this machine."""

    backend: LocalStore | S3Store
    folder: Path | None

    def put_file(self, kind: str, path: Path) -> StoredObject:
        """Store the bytes of `path` durably; storing the same bytes again changes nothing.

        Raises:
            Unavailable: nobody declared the kind, or the store does not work.
        """
        refuse_undeclared(Place.OBJECTS, kind)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        key = key_of(kind, digest)
        with _reported():
            obstore.put(self.backend, key, path)
        self._make_durable(key)
        return StoredObject(key, path.stat().st_size)

    def put_bytes(self, kind: str, data: bytes) -> StoredObject:
        """Store `data` durably; as `put_file`."""
        refuse_undeclared(Place.OBJECTS, kind)
        key = key_of(kind, hashlib.sha256(data).hexdigest())
        with _reported():
            obstore.put(self.backend, key, data)
        self._make_durable(key)
        return StoredObject(key, len(data))

    def get(self, key: str) -> bytes:
        """Return all bytes of an object that is known to be small."""
        with _reported(key):
            return bytes(obstore.get(self.backend, key).bytes())

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`."""
        with _reported(key):
            return bytes(obstore.get_range(self.backend, key, start=start, length=length))

    def chunks(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object in order."""
        with _reported(key):
            for chunk in obstore.get(self.backend, key).stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    def fetch(self, key: str, target: Path) -> None:
        """Copy an object to the new file `target`, by hard link where that is possible."""
        local = self.local_path(key)
        if local is not None:
            try:
                os.link(local, target)
                return
            except FileNotFoundError:
                raise Missing(f"The object {key} is not in the store.") from None
            except OSError:
                pass  # another file system: copy the bytes
        with target.open("wb") as file:
            for chunk in self.chunks(key):
                file.write(chunk)

    def local_path(self, key: str) -> Path | None:
        """Return the file of an object, or None where the store is not on this machine."""
        return self.folder / key if self.folder is not None else None

    def size_bytes(self, key: str) -> int:
        """Return the size of an object.

        Raises:
            Missing: there is no such object.
        """
        with _reported(key):
            return obstore.head(self.backend, key)["size"]

    def delete(self, key: str) -> None:
        """Remove an object; removing one that is not there is no error."""
        try:
            obstore.delete(self.backend, key)
        except FileNotFoundError:
            return

    def list(self, kind: str) -> Iterator[StoredObject]:
        """Yield every object of a kind."""
        with _reported():
            for batch in obstore.list(self.backend, prefix=kind):
                for meta in batch:
                    yield StoredObject(meta["path"], meta["size"], meta["last_modified"])

    def kinds(self) -> set[str]:
        """Return the kinds of objects that are there."""
        with _reported():
            found = obstore.list_with_delimiter(self.backend)["common_prefixes"]
        return {prefix.strip("/") for prefix in found} - {LOST_AND_FOUND}

    def check(self) -> None:
        """Write, read and remove a small object.

        Raises:
            Unavailable: with the reason of the store.
        """
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(16))
            file.flush()
            stored = self.put_file(CHECK, Path(file.name))
        if len(self.get(stored.key)) != stored.size_bytes:
            raise Unavailable("The object store gave back other bytes than it was given.")
        self.delete(stored.key)

    def _make_durable(self, key: str) -> None:
        # obstore's local store renames without fsync (design.md section 3).
        if self.folder is None:
            return
        path = self.folder / key
        for target in (path, path.parent, path.parent.parent):
            sync(target)


def key_of(kind: str, sha256: str) -> str:
    """Return the key of the object of `kind` with this digest."""
    return f"{kind}/{sha256[:2]}/{sha256}"


def open_store(settings: StorageSettings, home: Home) -> ObjectStore:
    """Open the object store that the settings name."""
    if not settings.url:
        return ObjectStore(LocalStore(home.objects, mkdir=True), home.objects)
    bucket, _, prefix = settings.url.removeprefix("s3://").partition("/")
    store = S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=settings.s3_endpoint or None,
        region=settings.s3_region or "us-east-1",
        access_key_id=settings.s3_access_key_id or None,
        secret_access_key=settings.s3_secret_access_key or None,
        virtual_hosted_style_request=False,
        client_options={"allow_http": settings.s3_endpoint.startswith("http://")},
    )
    return ObjectStore(store, None)


class _reported:  # noqa: N801 - reads as a verb at the call
    """Turn the store's exceptions into errors of ours."""

    def __init__(self, key: str = "") -> None:
        self.key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise Missing(f"The object {self.key} is not in the store.") from error
        if isinstance(error, OSError | obstore.exceptions.BaseError):
            raise Unavailable(f"The object store does not work: {error}.") from error
