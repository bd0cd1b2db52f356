"""The witnesses whose cosignatures are taken, and the cosignatures."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.audit.models import AuditCheckpoint, AuditCosignature, AuditWitness
from reelm.audit.record import record
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.proofs.note import COSIGNATURE, Checkpoint, Note, VerifierKey

# Two clocks that differ more than this are not both right.
AHEAD = timedelta(minutes=10)


def add_witness(session: Session, key: VerifierKey) -> None:
    """Take cosignatures of a witness from here on, and log it.

    Raises:
        Invalid: it is no key for cosignatures.
        Conflict: there is a witness of that name.
    """
    if key.type != COSIGNATURE:
        raise Invalid(f"{key.name} is a key for notes: a witness's key has type 4.")
    if session.get(AuditWitness, key.name) is not None:
        raise Conflict(f"There is a witness {key.name}: remove it first to change its key.")
    session.add(AuditWitness(name=key.name, key=key.public.hex(), added_at=now()))
    record(session, "audit.witness_added", name=key.name, key=key.public.hex())


def remove_witness(session: Session, name: str) -> None:
    """Take no more cosignatures of a witness, and log it; those it gave stay.

    Raises:
        Missing: there is no such witness.
    """
    row = session.get(AuditWitness, name)
    if row is None:
        raise Missing(f"There is no witness {name}.")
    record(session, "audit.witness_removed", name=name, key=row.key)
    session.delete(row)


def witnesses(session: Session) -> list[VerifierKey]:
    """Return the witnesses, by name."""
    rows = session.scalars(select(AuditWitness).order_by(AuditWitness.name))
    return [VerifierKey(row.name, COSIGNATURE, bytes.fromhex(row.key)) for row in rows]


def add_cosignatures(session: Session, note: Note) -> list[str]:
    """Keep the cosignatures of known witnesses on a checkpoint, and return their names.

    Raises:
        Missing: the log has signed no checkpoint of that size.
        Conflict: the checkpoint has another root than the one that the log has signed.
        Invalid: a cosignature is forged or of the future, or none is by a known witness.
    """
    checkpoint = Checkpoint.parse(note.text)
    row = session.get(AuditCheckpoint, checkpoint.size)
    if row is None:
        raise Missing(f"This log has no checkpoint of size {checkpoint.size}.")
    if Note.parse(row.note).text != note.text:
        raise Conflict(f"This log has another checkpoint of size {checkpoint.size}.")
    names = []
    for key in witnesses(session):
        for one in note.by(key):
            if not one.verifies(key, note.text):
                raise Invalid(f"The cosignature of {key.name} is forged.")
            at = _moment(one.timestamp, key.name)
            values = {"size": row.size, "witness": key.name, "at": at, "line": one.line}
            session.execute(insert(AuditCosignature).values(values).on_conflict_do_nothing())
            names.append(key.name)
    if not names:
        raise Invalid("No witness that this region knows has cosigned this checkpoint.")
    return names


def cosignatures(session: Session, sizes: Sequence[int]) -> dict[int, list[AuditCosignature]]:
    """Return the cosignatures of checkpoints by their sizes, the oldest first."""
    query = select(AuditCosignature).where(AuditCosignature.size.in_(sizes))
    found: dict[int, list[AuditCosignature]] = {}
    for row in session.scalars(query.order_by(AuditCosignature.at, AuditCosignature.witness)):
        found.setdefault(row.size, []).append(row)
    return found


def with_cosignatures(note: str, rows: Sequence[AuditCosignature]) -> str:
    """Return a checkpoint's note with the newest line of each witness."""
    newest = {row.witness: row.line for row in rows}
    return note + "".join(f"{line}\n" for line in newest.values())


def _moment(timestamp: int, name: str) -> datetime:
    latest = (now() + AHEAD).timestamp()
    if timestamp > latest:
        raise Invalid(f"The cosignature of {name} is of a time that is yet to come.")
    return datetime.fromtimestamp(timestamp, UTC)
