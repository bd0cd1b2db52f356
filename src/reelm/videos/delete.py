"""Delete videos: their rows at once, their objects by the next job."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reelm.foundation.errors import Missing
from reelm.foundation.events import publish as tell
from reelm.foundation.parts import Parts
from reelm.videos.events import VideoDeleted
from reelm.videos.models import Rendition, Sound, Upload, Video
from reelm.videos.objects import forget
from reelm.videos.upload import discard_file

_BATCH = 100


def delete_video(session: Session, *, account_id: int, video_id: int) -> None:
    """Delete a video of this account, whatever state it is in."""
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.account_id != account_id:
        raise Missing("There is no such video of yours.")
    remove(session, video)


def remove(session: Session, video: Video) -> None:
    """Delete a video and what hangs on it; jobs that work on it find nothing and end."""
    keys = session.scalars(select(Rendition.object).where(Rendition.video_id == video.id))
    forget(session, [video.original_object, video.poster_object, *keys])
    session.delete(video)
    session.flush()
    tell(session, VideoDeleted(video_id=video.id))


def erase_videos(parts: Parts, account_id: int) -> None:
    """Delete all videos, sounds and uploads of an account; doing it again ends what was left."""
    while _erase_some(parts, account_id):
        pass
    with parts.transaction() as session:
        gone = session.scalars(
            delete(Upload).where(Upload.account_id == account_id).returning(Upload.id)
        ).all()
        session.execute(delete(Sound).where(Sound.account_id == account_id))
    for upload_id in gone:
        discard_file(parts.home, upload_id)


def _erase_some(parts: Parts, account_id: int) -> bool:
    with parts.transaction() as session:
        videos = session.scalars(
            select(Video).where(Video.account_id == account_id).limit(_BATCH).with_for_update()
        ).all()
        for video in videos:
            remove(session, video)
    return bool(videos)
