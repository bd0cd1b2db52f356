"""Take up at the buyer what the seller's queue of jobs still held: jobs stay with the seller."""

from sqlalchemy.orm import Session

from reelm.accounts.tasks import RESUME_COPIES, RESUME_ERASURES
from reelm.foundation.jobs import defer
from reelm.moderation.tasks import RESUME_TELLING
from reelm.videos.tasks import RESUME_PUBLISHING


def take_up(session: Session) -> None:
    """Defer the jobs that find, in the rows that were imported, what still waits to be done."""
    for task in (RESUME_COPIES, RESUME_ERASURES, RESUME_TELLING, RESUME_PUBLISHING):
        defer(session, task)
