"""The steps of the move that this side has taken, each with the document that came of it."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.ids import new_id
from reelm.transfer.models import TransferStep


def add_step(session: Session, transfer_id: int, kind: str, document: bytes) -> TransferStep:
    """Note a step that is taken in this transaction."""
    step = TransferStep(
        transfer_id=transfer_id,
        id=new_id(),
        kind=kind,
        document=document.decode(),
        made_at=now(),
    )
    session.add(step)
    session.flush()
    return step


def steps(session: Session, transfer_id: int) -> Sequence[TransferStep]:
    """Return the steps of a sale, in the order in which they were taken."""
    query = select(TransferStep).where(TransferStep.transfer_id == transfer_id)
    return session.scalars(query.order_by(TransferStep.id)).all()


def last_step(taken: Sequence[TransferStep], *kinds: str) -> TransferStep | None:
    """Return the last of these steps that is of one of these kinds."""
    return next((one for one in reversed(taken) if one.kind in kinds), None)
