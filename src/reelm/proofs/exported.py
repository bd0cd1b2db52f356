"""The lines of an exported log: header, leaves, checkpoints in their places, end.

docs/audit.md has the format in words, with an example; a second verifier can be written from it.
"""

import base64
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm.foundation.errors import Invalid
from reelm.proofs.merkle import HASH_BYTES

FORMAT = 1
Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: which log this is, the key that its origin follows from, and its size."""

    reelm_audit_export: int
    origin: str
    first_key: Key
    size: Size


class CheckpointLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed note, right after the last leaf that it covers.

    `leaf_hashes` is base64 of the hashes of the leaves since the checkpoint before. They are not
    trusted: they serve to name a wrong leaf where they lead to the signed root and it does not.
    """

    checkpoint: str
    leaf_hashes: str = ""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last line; without it the file was cut off."""

    end: Size


def header_line(origin: str, first_key: str, size: int) -> bytes:
    """Return the first line of an export."""
    return _line(Header(FORMAT, origin, first_key, size))


def checkpoint_line(note: str, leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the line of a checkpoint with the hashes of its leaves."""
    return _line(CheckpointLine(note, base64.b64encode(b"".join(leaf_hashes)).decode()))


def end_line(size: int) -> bytes:
    """Return the last line."""
    return _line(End(size))


def read_header(line: bytes) -> Header:
    """Read the first line.

    Raises:
        Invalid: it is not the first line of an export, or of another version of it.
    """
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, ValueError):
        raise Invalid("This is no export of an audit log: its first line is no header.") from None
    if header.reelm_audit_export != FORMAT:
        raise Invalid(f"This export has format {header.reelm_audit_export}; {FORMAT} is known.")
    return header


def read_other(line: bytes) -> CheckpointLine | End | None:
    """Read a checkpoint or the end; None stands for a leaf.

    Raises:
        Invalid: it begins as a checkpoint or the end and goes on as something else.
    """
    kind: type[CheckpointLine | End]
    if line.startswith(b'{"checkpoint"'):
        kind = CheckpointLine
    elif line.startswith(b'{"end"'):
        kind = End
    else:
        return None
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid(f"It is no line of an export: {error}.") from None


def split_hashes(text: str) -> list[bytes]:
    """Return the hashes of a checkpoint's line; none where they are not whole."""
    try:
        joined = base64.b64decode(text, validate=True)
    except ValueError:
        return []
    if len(joined) % HASH_BYTES:
        return []
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def _line(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value) + b"\n"
