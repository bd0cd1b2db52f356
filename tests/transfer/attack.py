"""Somebody who has the buyer's recipient, and so can encrypt what the seller never sealed."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pyrage
from tests.transfer.bundle_factory import Sold

from reelm.transfer.bundle.contents import (
    Contents,
    Label,
    Slice,
    Stored,
    read_contents,
    read_label,
    read_manifest,
    write_contents,
)
from reelm.transfer.bundle.files import FileFact, read_frames, write_encrypted, write_frames
from reelm.transfer.bundle.objects import file_name

Lines = list[bytes]


def opened(made: Sold) -> tuple[Label, Contents, bytes]:
    """Label, list of files and signed manifest of a bundle."""
    label = read_label(made.folder)
    contents = read_contents(made.folder, label, made.identity)
    return label, contents, read_manifest(made.folder, label, made.identity)


def rewritten(made: Sold, contents: Contents, envelope: bytes | None = None) -> None:
    """Write list, manifest and label anew."""
    own = opened(made)[2] if envelope is None else envelope
    write_contents(
        made.folder, contents, own, region=made.sale.region, recipient=made.sale.recipient
    )


def change_rows(made: Sold, table: str, change: Callable[[Lines], Lines]) -> None:
    """Change the rows of a table's first file, encrypted as it should be."""
    _, contents, _ = opened(made)
    stored = contents.tables[table]
    first = stored.slices[0]
    changed = write_frames(
        made.folder, first.files[0].name, change_all(made, first.files[0], change), to(made)
    )
    slices = [Slice(first.value, [changed, *first.files[1:]]), *stored.slices[1:]]
    tables = {**contents.tables, table: Stored(stored.leaves, slices)}
    rewritten(made, msgspec.structs.replace(contents, tables=tables))


def change_all(made: Sold, fact: FileFact, change: Callable[[Lines], Lines]) -> list[bytes]:
    text = bytearray()
    read_frames(made.folder, fact, made.identity, text.extend)
    return change(bytes(text).splitlines(keepends=True))


def put_object(made: Sold, sha256: str, data: bytes) -> Path:
    """Write an object's file with other bytes in it."""
    write_encrypted(made.folder, file_name(sha256), [data], to(made))
    return made.folder / file_name(sha256)


def to(made: Sold) -> pyrage.x25519.Recipient:
    return pyrage.x25519.Recipient.from_str(made.sale.recipient)
