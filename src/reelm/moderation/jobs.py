"""Jobs of this room: each calls a verb."""

from reelm.foundation.jobs import JobRun
from reelm.moderation import affected


def tell_affected(run: JobRun, *, order_id: int) -> None:
    """Tell those whom an order affects."""
    with run.transaction() as session:
        affected.tell_affected(session, run.parts, order_id)


def tell_ended(run: JobRun, *, order_id: int) -> None:
    """Tell those whom an order affected that it ended."""
    with run.transaction() as session:
        affected.tell_ended(session, run.parts, order_id)


def resume_telling(run: JobRun) -> None:
    """Tell of each order of which nobody was told."""
    with run.transaction() as session:
        affected.resume_telling(session)
