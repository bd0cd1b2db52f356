"""Rows of the log and counts for the tests of the feed, written straight into their tables."""

from sqlalchemy.dialects.postgresql import insert

from reelm.feed.models import SignalRow
from reelm.feed.signals import Kind
from reelm.foundation.clock import now
from reelm.foundation.database import Session
from reelm.foundation.ids import new_id
from reelm.social.models import VideoCount


def log_signal(
    session: Session, viewer_id: int, video_id: int, kind: Kind = Kind.WATCH, **fields: object
) -> int:
    """Write a row of the log and return its seq."""
    at, seq = now(), new_id()
    row = SignalRow(
        viewer_id=viewer_id, seq=seq, day=at.date(), at=at, video_id=video_id, kind=kind,
        **{
            "watched_ms": 0, "duration_ms": 0, "loops": 0, "long_view": False, "surface": 1,
            "page_id": 0, "position": 0, "source": "", "propensity": 1.0, "subject": "",
            "batch_seq": seq,
        } | fields,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return seq


def count_views(session: Session, video_id: int, completions: int) -> None:
    """Set how often a video was watched to its end."""
    values = {"views": completions * 2, "completions": completions}
    statement = insert(VideoCount).values(video_id=video_id, **values)
    session.execute(
        statement.on_conflict_do_update(index_elements=[VideoCount.video_id], set_=values)
    )
