"""The manifest of a backup: what is in it, to the byte.

BACKUP/
  manifest.json          written last: a folder without it is no backup
  manifest.json.sha256   as sha256sum writes it
  database.dump          pg_dump's custom format
  region.toml
  keys/...               every key of the region
  objects/...            every object that a row of the dump names, under its key
"""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from reelm.foundation.errors import Conflict, Invalid, Missing, TooLarge

MANIFEST, DIGEST, DUMP, SETTINGS = (
    "manifest.json",
    "manifest.json.sha256",
    "database.dump",
    "region.toml",
)
FORMAT = 1
CHUNK_BYTES = 1 << 20
# Nothing else is ever read from a backup or written below a region home.
ALLOWED = re.compile(
    r"database\.dump|region\.toml|keys/[a-z0-9][a-z0-9.-]*"
    r"|objects/[a-z-]+/(?P<head>[0-9a-f]{2})/(?P<digest>(?P=head)[0-9a-f]{62})"
)


class Fact(msgspec.Struct, frozen=True):
    """Size and digest of one file."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds; `missing` are objects that a row names and the store did not have."""

    format: int
    release: str
    schema: str
    postgresql: int
    region: str
    region_number: int
    made_at: datetime
    rows: dict[str, int]
    rows_left_out: list[str]
    objects: int
    object_bytes: int
    missing: list[str]
    files: dict[str, Fact]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest and its digest; what is in `folder` is a backup from then on."""
    data = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    for name, content in (
        (DIGEST, f"{hashlib.sha256(data).hexdigest()}  {MANIFEST}\n".encode("ascii")),
        (MANIFEST, data),
    ):
        with new_file(folder / name) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the backup in `folder` and check that it is whole.

    Raises:
        Missing: there is no finished backup.
        Invalid: the manifest is damaged or of a later format.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
        digest = (folder / DIGEST).read_text("ascii").partition(" ")[0]
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{folder} holds no finished backup: it has no {MANIFEST}.") from None
    except ValueError:
        digest = ""
    if hashlib.sha256(data).hexdigest() != digest:
        raise Invalid(f"The backup is damaged: {folder / MANIFEST} is not what was written.")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Invalid(f"{folder / MANIFEST} is of another release: {error}.") from None
    for name, fact in manifest.files.items():
        match = ALLOWED.fullmatch(name)
        if match is None or match["digest"] not in (None, fact.sha256):
            raise Invalid(f"{folder / MANIFEST} names {name}, which no backup holds.")
    return manifest


def check_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Check each file against the manifest; yield the name of each that is right.

    Raises:
        Invalid: a file is missing or not what was written; names it.
    """
    for name, fact in manifest.files.items():
        path = folder / name
        try:
            found = fact_of(path)
        except OSError as error:
            raise Invalid(f"The backup is damaged: {path}: {error.strerror}.") from None
        if found.size_bytes != fact.size_bytes:
            raise Invalid(
                f"The backup is damaged: {path} has {found.size_bytes} bytes instead of "
                f"{fact.size_bytes}."
            )
        if found.sha256 != fact.sha256:
            raise Invalid(f"The backup is damaged: {path} holds other bytes than were written.")
        yield name


def fact_of(path: Path) -> Fact:
    """Return size and digest of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Fact(os.fstat(file.fileno()).st_size, digest)


def new_file(path: Path) -> IO[bytes]:
    """Open a new file that only its owner can read, whatever the umask is."""
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))


def new_folder(path: Path, what: str) -> Path:
    """Make a folder that only its owner can enter; one that is there has to be empty.

    Raises:
        Conflict: there is something in it.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise Conflict(f"{path} is not empty: choose a new folder for {what}.")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def copy_file(source: Path, target: Path) -> Fact:
    """Copy a file to a new private one and return what was copied."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as file, new_file(target) as copy:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += copy.write(chunk)
    return Fact(size, digest.hexdigest())


def check_room(free: int, needed: int, where: Path) -> None:
    """Refuse to begin what cannot fit.

    Raises:
        TooLarge: says how much is needed.
    """
    if free < needed:
        raise TooLarge(f"{needed >> 20} MiB are needed at {where}, and {free >> 20} MiB are free.")
