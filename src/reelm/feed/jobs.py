"""The jobs of this room."""

from reelm.feed.forget import forget_idle, forget_viewer
from reelm.foundation.jobs import JobRun


def forget_idle_viewers(run: JobRun) -> None:
    """Drop what idle anonymous viewers left."""
    forget_idle(run.parts)


def forget_account(run: JobRun, *, account_id: int) -> None:
    """Drop what an erased account was shown and watched."""
    with run.transaction() as session:
        forget_viewer(session, account_id)
