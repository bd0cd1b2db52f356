"""Jobs of this room: each calls a verb."""

from sqlalchemy import delete

from reelm.accounts import erase
from reelm.accounts.models import RateLimit
from reelm.accounts.sessions import sweep_sessions
from reelm.foundation.clock import now
from reelm.foundation.jobs import JobRun


def finish_erasure(run: JobRun, *, account_id: int) -> None:
    """Remove all rows of an account whose erasure has begun."""
    erase.finish_erasure(run.parts, account_id)


def resume_erasures(run: JobRun) -> None:
    """Tell of each erasure that has not ended, so that it is taken up again."""
    with run.transaction() as session:
        erase.resume_erasures(session)


def sweep(run: JobRun) -> None:
    """Remove sessions and rate-limit windows that have ended."""
    with run.transaction() as session:
        sweep_sessions(session)
        session.execute(delete(RateLimit).where(RateLimit.window_ends_at <= now()))
