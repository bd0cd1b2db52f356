"""What a bundle holds: the plain label outside, and the encrypted list of its files."""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec
import pyrage

from reelm.foundation.errors import Invalid, Missing
from reelm.proofs.closing import MAX_MANIFEST_BYTES
from reelm.transfer.bundle.files import (
    FileFact,
    inside,
    read_small,
    sync_names,
    write_encrypted,
    write_plain,
)

FORM = "reelm-bundle/1"
LABEL, MANIFEST, CONTENTS = "bundle.json", "manifest.age", "contents.age"
MODEL = "model.age"
MAX_LABEL_BYTES = 4096
MAX_CONTENTS_BYTES = 64 << 20


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What anybody may read of a bundle: what it is, and who can open it."""

    form: Literal["reelm-bundle/1"]
    region: str
    recipient: str
    manifest: FileFact
    contents: FileFact


class Slice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of one slice of a table, in order; `value` is empty where there are none."""

    value: str
    files: list[FileFact]


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of one table, and the one with the hashes of its leaves where it has several."""

    leaves: FileFact | None
    slices: list[Slice]


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files of a bundle, and the secret that the salts of its leaves follow from."""

    form: Literal["reelm-bundle/1"]
    scope_digest: str
    secret: str
    tables: dict[str, Stored]
    objects: Stored
    model: FileFact | None

    @property
    def facts(self) -> list[FileFact]:
        """Every file that the contents name; objects beside, whose list names them."""
        stored = [*self.tables.values(), self.objects]
        single = [self.model, *(one.leaves for one in stored)]
        return [one for one in single if one is not None] + [
            fact for one in stored for piece in one.slices for fact in piece.files
        ]


def fingerprint(recipient: str) -> str:
    """Return what the label says of a recipient: SHA-256 of its text."""
    return hashlib.sha256(recipient.encode()).hexdigest()


def write_contents(
    folder: Path,
    contents: Contents,
    envelope: bytes,
    *,
    region: str,
    recipient: str,
) -> None:
    """Write list, manifest and label, the label last: with it the bundle is whole."""
    to = pyrage.x25519.Recipient.from_str(recipient)
    listed = write_encrypted(folder, CONTENTS, [msgspec.json.encode(contents)], to)
    manifest = write_encrypted(folder, MANIFEST, [envelope], to)
    sync_names(folder)
    label = Label("reelm-bundle/1", region, fingerprint(recipient), manifest, listed)
    write_plain(folder, LABEL, msgspec.json.format(msgspec.json.encode(label)) + b"\n")
    sync_names(folder)


def read_label(folder: Path) -> Label:
    """Read the label of a bundle.

    Raises:
        Missing: there is no finished bundle.
        Invalid: it is no label.
    """
    path = inside(folder, LABEL)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LABEL_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{folder} holds no finished bundle: it has no {LABEL}.") from None
    try:
        label = msgspec.json.decode(data, type=Label)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid(f"{LABEL} of the bundle cannot be read: {error}.") from None
    # One way to write it, so that nobody changes a byte of it unseen.
    if msgspec.json.format(msgspec.json.encode(label)) + b"\n" != data:
        raise Invalid(f"{LABEL} of the bundle is not written as a bundle's is.")
    if (label.manifest.name, label.contents.name) != (MANIFEST, CONTENTS):
        raise Invalid(f"{LABEL} of the bundle names other files than {MANIFEST} and {CONTENTS}.")
    return label


def read_manifest(folder: Path, label: Label, identity: pyrage.x25519.Identity) -> bytes:
    """Return the signed envelope of the closing manifest."""
    return read_small(folder, label.manifest, identity, MAX_MANIFEST_BYTES)


def read_contents(folder: Path, label: Label, identity: pyrage.x25519.Identity) -> Contents:
    """Read the list of a bundle's files.

    Raises:
        Invalid: it is none.
    """
    data = read_small(folder, label.contents, identity, MAX_CONTENTS_BYTES)
    try:
        contents = msgspec.json.decode(data, type=Contents)
        is_secret = len(bytes.fromhex(contents.secret)) == 32
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid(f"{CONTENTS} of the bundle cannot be read: {error}.") from None
    names = [fact.name for fact in contents.facts]
    if not is_secret or len(set(names)) != len(names):
        raise Invalid(f"{CONTENTS} of the bundle names a file twice, or has no secret.")
    for name in names:
        inside(folder, name)
    return contents
