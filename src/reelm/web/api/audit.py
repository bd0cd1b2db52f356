"""The audit log: checkpoints, entries and proofs, for anyone."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from reelm import audit
from reelm.foundation.database import Session
from reelm.proofs.proof_file import encode

MAX_SIZE = 2**53 - 1
Index = Annotated[int, Meta(ge=0, le=MAX_SIZE, description="Place of an entry, from 0 on.")]
Size = Annotated[int, Meta(ge=1, le=MAX_SIZE, description="How many entries a log has.")]
Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]


class CheckpointPage(msgspec.Struct, frozen=True):
    """Checkpoints, the newest first; `below` asks for those of a smaller size."""

    checkpoints: list[audit.ShownCheckpoint]


class EntryPage(msgspec.Struct, frozen=True):
    """Entries by their places; `size` is that of the whole log."""

    size: int
    entries: list[audit.ShownEntry]


class InclusionPath(msgspec.Struct, frozen=True):
    """The path from a leaf to the root at a size, in base64, from the leaf upwards."""

    index: int
    size: int
    path: list[str]


class ConsistencyPath(msgspec.Struct, frozen=True):
    """The path that leads to the roots at both sizes, in base64."""

    first: int
    second: int
    path: list[str]


def checkpoint(session: Session) -> Response:
    """Read the newest checkpoint: size and root, signed, as a C2SP signed note."""
    text = audit.checkpoint_note(session)
    return Response(text, headers={"cache-control": "no-store"}, media_type="text/plain")


def list_checkpoints(
    session: Session, below: Size | None = None, limit: Limit = 20
) -> CheckpointPage:
    """List checkpoints with their cosignatures, the newest first."""
    return CheckpointPage(audit.checkpoints(session, below=below, limit=limit))


def list_entries(session: Session, start: Index = 0, limit: Limit = 100) -> EntryPage:
    """List entries from a place on; `leaf` is the text whose bytes are hashed."""
    return EntryPage(audit.leaf_count(session), audit.entries(session, start=start, limit=limit))


def prove_inclusion(session: Session, index: Index, size: Size) -> InclusionPath:
    """Prove that the entry at a place is in the log of a size (RFC 9162, 2.1.3)."""
    return InclusionPath(index, size, encode(audit.inclusion_proof(session, index, size)))


def prove_consistency(session: Session, first: Size, second: Size) -> ConsistencyPath:
    """Prove that the log of one size begins with that of another (RFC 9162, 2.1.4)."""
    path = audit.consistency_proof(session, first, second)
    return ConsistencyPath(first, second, encode(path))
