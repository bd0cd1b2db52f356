"""Take up at the buyer what the seller's queue of jobs still held: jobs stay with the seller."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from reelm.accounts.tasks import ERASE_LATER, RESUME_COPIES, RESUME_ERASURES
from reelm.foundation.jobs import defer
from reelm.moderation.tasks import RESUME_TELLING
from reelm.videos.tasks import RESUME_PUBLISHING


def take_up(session: Session, erasures: Iterable[str]) -> None:
    """Defer the jobs that find, in the rows that were imported, what still waits to be done.

    Args:
        session: of the buyer's region.
        erasures: accounts whose erasure was asked for after the seal, as the cutover names them.
    """
    for account_id in erasures:
        defer(session, ERASE_LATER, account_id=int(account_id))
    for task in (RESUME_COPIES, RESUME_ERASURES, RESUME_TELLING, RESUME_PUBLISHING):
        defer(session, task)
