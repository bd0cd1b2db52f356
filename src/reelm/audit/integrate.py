"""Give recorded entries their places in the tree, and sign how large it is then.

Entries are recorded without waiting for one another; this comes after, one at a time under a lock
(as in Trillian Tessera: sequencing apart from adding). A batch is one transaction: leaves, nodes,
checkpoint, and the end of the pending rows. So there is never a leaf without a checkpoint.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from reelm.audit.kept_checkpoint import check_kept, keep
from reelm.audit.models import AuditCheckpoint, AuditEntry, AuditLeaf, AuditNode, AuditPending
from reelm.audit.tree import TILE_LEVELS, frontier_at, leaf_count
from reelm.foundation.clock import now
from reelm.foundation.database import Database
from reelm.foundation.errors import Unavailable
from reelm.foundation.logs import Line
from reelm.proofs.keys import KEY_CHANGED, is_endorsed
from reelm.proofs.leaf import leaf_bytes
from reelm.proofs.merkle import EMPTY_ROOT, leaf_hash
from reelm.proofs.note import Checkpoint, Note, public_bytes, sign

log = logging.getLogger(__name__)
NOT_ENDORSED = Line("an entry changes the audit log's key without the old key's endorsement")

LOCK = 0x7265656C6D0A  # "reelm" 10
# A batch takes some 0.2 s (benchmarks/audit.py), far below the limit of a statement.
BATCH = 2000


@dataclass(frozen=True)
class Signer:
    """What signs the log.

    Args:
        origin: the log's name.
        first_key: the key that the origin follows from, in hex.
        key: the operator's key.
        kept: the file that holds the last checkpoint that was signed, outside the database.
    """

    origin: str
    first_key: str
    key: Ed25519PrivateKey
    kept: Path


def integrate(database: Database, signer: Signer, *, batch: int = BATCH) -> int:
    """Take all pending entries into the tree and return how many there were.

    Raises:
        Unavailable: what would be signed contradicts what was signed before; or another key
            signs this log. Nothing is signed then.
    """
    count = 0
    while True:
        with database.transaction() as session:
            taken, note = _integrate_batch(session, signer, batch)
        if note is not None:
            keep(signer.kept, note)
        count += taken
        if taken < batch:
            return count


def newest(session: Session) -> AuditCheckpoint | None:
    """Return the newest checkpoint."""
    query = select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1)
    return session.scalars(query).one_or_none()


def _integrate_batch(session: Session, signer: Signer, batch: int) -> tuple[int, str | None]:
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    entries = _pending(session, batch)
    if not entries:
        return 0, None
    last = newest(session)
    size = 0 if last is None else last.size
    tree = frontier_at(session, size)
    _check_last(session, last, tree.root())
    check_kept(session, signer.kept, signer.origin, size)
    key = signer.first_key if last is None else last.key
    leaves, nodes = [], []
    for entry in entries:
        hashed = leaf_hash(leaf_bytes(entry.id, entry.kind, entry.at, entry.body))
        leaves.append({"index": tree.size, "entry_id": entry.id, "hash": hashed})
        nodes += [
            {"level": level, "index": index, "hash": node}
            for level, index, node in tree.append(hashed)
            if level % TILE_LEVELS == 0
        ]
        if entry.kind == KEY_CHANGED:
            key = _changed_key(signer.origin, key, entry.body)
    session.execute(insert(AuditLeaf), leaves)
    if nodes:
        session.execute(insert(AuditNode), nodes)
    note = _sign(session, signer, key, Checkpoint(signer.origin, tree.size, tree.root()))
    ids = [entry.id for entry in entries]
    session.execute(delete(AuditPending).where(AuditPending.entry_id.in_(ids)))
    return len(entries), note


def _pending(session: Session, batch: int) -> Sequence[Any]:
    query = (
        select(AuditEntry.id, AuditEntry.kind, AuditEntry.at, AuditEntry.body)
        .join(AuditPending, AuditPending.entry_id == AuditEntry.id)
        .order_by(AuditEntry.id)
        .limit(batch)
    )
    return session.execute(query).all()


def _check_last(session: Session, last: AuditCheckpoint | None, root: bytes) -> None:
    """Refuse to go on from a tree that is not the one that was signed last."""
    signed = EMPTY_ROOT if last is None else last.root
    length = leaf_count(session)
    size = 0 if last is None else last.size
    if signed != root or length != size:
        raise Unavailable(
            f"The audit log is not what was signed at size {size} (it has {length} leaves): "
            "nothing more is signed. `reelm audit check` says what is wrong."
        )


def _sign(session: Session, signer: Signer, key: str, checkpoint: Checkpoint) -> str:
    own = public_bytes(signer.key).hex()
    if own != key:
        raise Unavailable(
            f"The audit log is signed by the key {key[:16]}..., and this region's operator key is "
            f"{own[:16]}...: the old key has to endorse the new one first."
        )
    note = Note(checkpoint.text, (sign(checkpoint.text, signer.origin, signer.key),))
    session.add(
        AuditCheckpoint(
            size=checkpoint.size, root=checkpoint.root, key=key, note=str(note), signed_at=now()
        )
    )
    return str(note)


def _changed_key(origin: str, key: str, body: dict[str, Any]) -> str:
    """Return the key that an entry hands the log to; a forged one hands it to nobody."""
    old, new, epoch = body["old_key"], body["new_key"], body["epoch"]
    endorsement = bytes.fromhex(body["endorsement"])
    if old == key and is_endorsed(
        bytes.fromhex(old), origin, bytes.fromhex(new), epoch, endorsement
    ):
        return str(new)
    log.error(NOT_ENDORSED())
    return key
