"""The sale that is open, its scope as it was proposed, and what was signed about it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.errors import Missing, Unavailable
from reelm.proofs import sale
from reelm.proofs.sale import Scope
from reelm.transfer.models import RegionTransfer, TransferStatement

NONE_OPEN = "No sale of this region is open; `reelm transfer propose` begins one."


class KnownTransfer(msgspec.Struct, frozen=True):
    """A sale, and its scope."""

    id: int
    scope_digest: str
    scope: Scope
    proposed_at: datetime
    ended_at: datetime | None
    ending: str | None
    reason: str


def open_transfer(session: Session, *, lock: bool = False) -> KnownTransfer:
    """Return the sale that is open; with `lock`, steps are taken one after the other.

    Raises:
        Missing: none is open.
        Unavailable: its scope is not what was proposed.
    """
    query = select(RegionTransfer).where(RegionTransfer.ended_at.is_(None))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise Missing(NONE_OPEN)
    return known(row)


def transfers(session: Session, *, limit: int = 20) -> list[KnownTransfer]:
    """Return the sales of this region, the newest first."""
    query = select(RegionTransfer).order_by(RegionTransfer.id.desc()).limit(limit)
    return [known(row) for row in session.scalars(query)]


def newest_transfer(session: Session) -> KnownTransfer | None:
    """Return the sale that was proposed last, open or ended; None where there was none."""
    return next(iter(transfers(session, limit=1)), None)


def known(row: RegionTransfer) -> KnownTransfer:
    """Return a row with its scope read.

    Raises:
        Unavailable: the text is not the one whose digest was signed.
    """
    if sale.digest_of(row.scope.encode()) != row.scope_digest:
        raise Unavailable(f"The scope of transfer {row.id} was changed after it was proposed.")
    scope = sale.read_scope(row.scope.encode())
    return KnownTransfer(
        row.id, row.scope_digest, scope, row.proposed_at, row.ended_at, row.ending, row.reason
    )


def statements(session: Session, transfer_id: int) -> Sequence[TransferStatement]:
    """Return what was signed about a sale, in the order in which it came in."""
    query = select(TransferStatement).where(TransferStatement.transfer_id == transfer_id)
    return session.scalars(query.order_by(TransferStatement.id)).all()
