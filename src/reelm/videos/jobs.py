"""The jobs of this room; app.py binds them to their tasks."""

from reelm.foundation.errors import ReelmError, Unavailable
from reelm.foundation.jobs import JobRun
from reelm.videos import convert, publish, resume
from reelm.videos import delete as deleting
from reelm.videos.ladder import Damaged
from reelm.videos.objects import remove_forgotten
from reelm.videos.sweep import sweep


def run_publish(run: JobRun, *, video_id: int) -> None:
    """Make an upload playable at once where it can be, and defer its ladder."""
    publish.publish(run.parts, video_id)


def publish_failed(run: JobRun, reason: str, *, video_id: int) -> None:
    """End a video whose publishing failed for good."""
    with run.transaction() as session:
        publish.refuse(session, video_id, reason)


def make_ladder(run: JobRun, *, video_id: int) -> None:
    """Make the renditions of a video.

    A damaged file is refused, though instant publish may have shown it; what merely cannot be
    converted stays if it is playable.
    """
    try:
        convert.convert(run.parts, video_id, run.progress)
    except Unavailable:
        raise
    except Damaged as refusal:
        with run.transaction() as session:
            convert.withdraw(session, video_id, refusal.sentence)
    except ReelmError as refusal:
        with run.transaction() as session:
            is_playable = convert.give_up(session, video_id, refusal.sentence)
        if is_playable:
            raise  # the job page says why there is no ladder


def ladder_failed(run: JobRun, reason: str, *, video_id: int) -> None:
    """Keep what is playable of a video whose ladder failed for good, or end it."""
    with run.transaction() as session:
        convert.give_up(session, video_id, reason)


def remove_objects(run: JobRun) -> None:
    """Remove the objects that no row names any more."""
    remove_forgotten(run.parts)


def erase_videos(run: JobRun, *, account_id: int) -> None:
    """Delete all videos and uploads of an erased account."""
    deleting.erase_videos(run.parts, account_id)


def run_sweep(run: JobRun) -> None:
    """Remove what nobody needs: expired uploads, retired renditions, orphaned files and objects."""
    sweep(run.parts)


def resume_publishing(run: JobRun) -> None:
    """Go on with each video that is not whole."""
    with run.transaction() as session:
        resume.resume_publishing(session)
