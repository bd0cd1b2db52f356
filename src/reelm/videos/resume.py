"""Take up the making of videos where the queue of jobs has gone, as after a sale of the region."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.jobs import defer
from reelm.videos.models import Video
from reelm.videos.tasks import MAKE_LADDER, PUBLISH


def resume_publishing(session: Session) -> int:
    """Defer again what is to be done of each video that is not whole; return how many there are.

    It is for a queue that is empty: a job that waits in it would be done twice.
    """
    unfinished = select(Video.id, Video.state).where(
        Video.original_object.is_not(None),
        Video.ladder_at.is_(None),
        Video.state.in_(("processing", "ready")),
    )
    found = session.execute(unfinished.order_by(Video.id)).all()
    for video_id, state in found:
        defer(session, PUBLISH if state == "processing" else MAKE_LADDER, video_id=video_id)
    return len(found)
