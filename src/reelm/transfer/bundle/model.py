"""The model in a bundle: one file, whose plain bytes have the digest that the manifest names.

What is in it is looked at by whoever takes it in (move/model.py); here it is bytes.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from reelm.foundation.errors import Invalid
from reelm.transfer.bundle.contents import MODEL
from reelm.transfer.bundle.files import (
    FileFact,
    inside,
    is_whole,
    read_encrypted,
    write_encrypted,
    write_plain,
)
from reelm.transfer.bundle.opened import Opened
from reelm.transfer.bundle.rows import PIECE_BYTES
from reelm.transfer.bundle.seal_table import Sealing
from reelm.transfer.bundle.streams import Sink

_NOTE = "model.json"


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which model was written in which sale, so to whom, and its file."""

    scope_digest: str
    digest: str
    file: FileFact


def seal_model(sealing: Sealing, model: Path | None) -> FileFact | None:
    """Write the model's file; one of the same model is kept. Without a model there is none."""
    path = inside(sealing.folder, MODEL)
    path.with_name(f"{MODEL}.part").unlink(missing_ok=True)
    if model is None:
        path.unlink(missing_ok=True)
        return None
    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with suppress(OSError, msgspec.MsgspecError):
        note = msgspec.json.decode((sealing.notes / _NOTE).read_bytes(), type=_Note)
        is_same = (note.scope_digest, note.digest) == (sealing.scope_digest, digest)
        if is_same and is_whole(sealing.folder, note.file):
            return note.file
    fact = write_encrypted(sealing.folder, MODEL, _pieces(model), sealing.recipient)
    note = _Note(sealing.scope_digest, digest, fact)
    write_plain(sealing.notes, _NOTE, msgspec.json.encode(note))
    return fact


def read_model(opened: Opened, sink: Sink) -> None:
    """Give the plain bytes of the model to `sink`; there are none where it stays behind.

    Raises:
        Invalid: the file is damaged, or another model than was closed; names it.
    """
    if opened.contents.model is None:
        return
    found = hashlib.sha256()

    def take(piece: bytes) -> None:
        found.update(piece)
        sink(piece)

    read_encrypted(opened.folder, opened.contents.model, opened.identity, take)
    if found.hexdigest() != opened.manifest.model_digest:
        raise Invalid(f"{MODEL} of the bundle holds another model than the seller closed.")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
