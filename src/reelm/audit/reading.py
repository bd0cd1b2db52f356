"""Read the log for pages, proofs and programs."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.audit.integrate import newest
from reelm.audit.models import AuditCheckpoint, AuditEntry, AuditLeaf
from reelm.audit.tree import consistency_proof, inclusion_proof, leaf_of
from reelm.audit.witnesses import cosignatures, with_cosignatures
from reelm.foundation.errors import Missing
from reelm.proofs.leaf import Leaf, leaf_bytes, leaf_of_entry
from reelm.proofs.note import log_key
from reelm.proofs.proof_file import ConsistencyProof, InclusionProof, encode


class Newest(NamedTuple):
    """An entry's body, and when it was recorded."""

    body: dict[str, str | int | bool | list[str]]
    at: datetime


class Cosigned(msgspec.Struct, frozen=True):
    """Who has cosigned a checkpoint, and when."""

    witness: str
    at: datetime


class ShownCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint: how many entries, the root in hex, when, the key in hex, by whom seen."""

    size: int
    root: str
    signed_at: datetime
    key: str
    cosignatures: list[Cosigned]
    note: str


class ShownEntry(msgspec.Struct, frozen=True):
    """An entry's place, and the bytes of its leaf as text."""

    index: int
    leaf: str


def newest_entry(session: Session, kind: str) -> Newest | None:
    """Return what the newest entry of a kind says, and when it was recorded."""
    query = select(AuditEntry.body, AuditEntry.at).where(AuditEntry.kind == kind)
    row = session.execute(query.order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    return None if row is None else Newest(*row)


def entries_of(session: Session, kind: str) -> list[Newest]:
    """Return what the entries of a kind say, the oldest first."""
    query = select(AuditEntry.body, AuditEntry.at).where(AuditEntry.kind == kind)
    return [Newest(*row) for row in session.execute(query.order_by(AuditEntry.id))]


def checkpoint_note(session: Session, size: int | None = None) -> str:
    """Return the note of the newest checkpoint, or of the one of a size, with cosignatures.

    Raises:
        Missing: the log has no such checkpoint.
    """
    row = newest(session) if size is None else session.get(AuditCheckpoint, size)
    if row is None:
        which = "no checkpoint yet" if size is None else f"no checkpoint of size {size}"
        raise Missing(f"The log has {which}.")
    return with_cosignatures(row.note, cosignatures(session, [row.size]).get(row.size, []))


def checkpoints(
    session: Session, *, below: int | None = None, limit: int = 20
) -> list[ShownCheckpoint]:
    """Return checkpoints, the newest first.

    Args:
        session: a transaction.
        below: only those of a smaller size.
        limit: at most so many.
    """
    query = select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(limit)
    if below is not None:
        query = query.where(AuditCheckpoint.size < below)
    rows = session.scalars(query).all()
    found = cosignatures(session, [row.size for row in rows])
    return [
        ShownCheckpoint(
            row.size,
            row.root.hex(),
            row.signed_at,
            row.key,
            [Cosigned(one.witness, one.at) for one in found.get(row.size, [])],
            with_cosignatures(row.note, found.get(row.size, [])),
        )
        for row in rows
    ]


def entries(session: Session, *, start: int = 0, limit: int = 100) -> list[ShownEntry]:
    """Return entries by their places, from `start` on."""
    rows = session.execute(
        select(AuditLeaf.index, AuditEntry.id, AuditEntry.kind, AuditEntry.at, AuditEntry.body)
        .join(AuditEntry, AuditEntry.id == AuditLeaf.entry_id)
        .where(AuditLeaf.index >= start, AuditLeaf.index < start + limit)
        .order_by(AuditLeaf.index)
    )
    return [
        ShownEntry(index, leaf_bytes(entry_id, kind, at, body).decode())
        for index, entry_id, kind, at, body in rows
    ]


def leaves(session: Session, *, start: int, end: int) -> list[Leaf]:
    """Return the entries at the places from `start` to before `end`, as the log has them."""
    rows = session.execute(
        select(AuditEntry.id, AuditEntry.kind, AuditEntry.at, AuditEntry.body)
        .join(AuditLeaf, AuditEntry.id == AuditLeaf.entry_id)
        .where(AuditLeaf.index >= start, AuditLeaf.index < end)
        .order_by(AuditLeaf.index)
    )
    return [leaf_of_entry(entry_id, kind, at, body) for entry_id, kind, at, body in rows]


def prove_entry(session: Session, entry_id: int, size: int | None = None) -> InclusionProof:
    """Return the proof that an entry is in the log.

    Raises:
        Missing: it is not in the tree, or no checkpoint of that size is there.
        Invalid: the log was shorter then.
    """
    index = leaf_of(session, entry_id)
    row = _signed(session, size)
    return InclusionProof(
        leaf=entries(session, start=index, limit=1)[0].leaf,
        index=index,
        path=encode(inclusion_proof(session, index, row.size)),
        checkpoint=checkpoint_note(session, row.size),
        log_key=_key_text(row),
    )


def prove_growth(session: Session, first: int, second: int | None = None) -> ConsistencyProof:
    """Return the proof that the log of size `second` begins with that of size `first`.

    Raises:
        Missing: no checkpoint of that size is there.
        Invalid: the sizes are not in order.
    """
    row = _signed(session, second)
    return ConsistencyProof(
        first=checkpoint_note(session, first),
        second=checkpoint_note(session, row.size),
        path=encode(consistency_proof(session, first, row.size)),
        log_key=_key_text(row),
    )


def _signed(session: Session, size: int | None) -> AuditCheckpoint:
    row = newest(session) if size is None else session.get(AuditCheckpoint, size)
    if row is None:
        which = "" if size is None else f" of size {size}"
        raise Missing(f"The log has no checkpoint{which}.")
    return row


def _key_text(row: AuditCheckpoint) -> str:
    origin = row.note.split("\n", 1)[0]
    return log_key(origin, bytes.fromhex(row.key)).text
