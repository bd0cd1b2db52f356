"""From the last byte of an upload to a video that is being published."""

from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.ids import new_id
from reelm.foundation.jobs import defer
from reelm.foundation.storage import StoredObject
from reelm.videos.draft import Draft
from reelm.videos.hashtags import replace_hashtags
from reelm.videos.models import Video
from reelm.videos.tasks import PUBLISH


def ingest(session: Session, *, account_id: int, original: StoredObject, draft: Draft) -> int:
    """Make a video of a stored original, defer its publishing, and return its id."""
    video_id = new_id()
    session.add(
        Video(
            id=video_id,
            account_id=account_id,
            caption=draft.caption,
            language=draft.language,
            audience=draft.audience,
            state="processing",
            original_object=original.key,
            original_bytes=original.size_bytes,
            created_at=now(),
        )
    )
    session.flush()
    replace_hashtags(session, video_id, draft.caption)
    defer(session, PUBLISH, video_id=video_id)
    return video_id
