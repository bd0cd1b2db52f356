"""The jobs of this room."""

from reelm.feed.erase import erase_from_feed
from reelm.feed.idle import forget_idle
from reelm.feed.log.days import keep_days
from reelm.feed.log.snapshots import remove_orphans
from reelm.feed.outlived import forget_outlived
from reelm.foundation.jobs import JobRun


def forget_idle_viewers(run: JobRun) -> None:
    """Drop what idle anonymous viewers left, and snapshots that no row names."""
    forget_idle(run.parts)
    remove_orphans(run.parts)


def keep_log(run: JobRun) -> None:
    """Make the log's next days, drop those past their time, and what is left of the idle."""
    keep_days(run.parts)
    forget_idle(run.parts, whole_log=True)
    forget_outlived(run.parts)


def forget_account(run: JobRun, *, account_id: int) -> None:
    """Drop all that the feed holds of an erased account."""
    erase_from_feed(run.parts, account_id)
