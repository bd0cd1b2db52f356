"""Change what an owner says of a video: caption, audience, language, captions."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Missing
from reelm.videos.captions import normalise
from reelm.videos.draft import checked_audience, checked_caption, checked_language
from reelm.videos.hashtags import replace_hashtags
from reelm.videos.models import CaptionTrack, Video

# One for each language that people of a region read, with room.
MAX_CAPTION_TRACKS = 50


def edit(
    session: Session,
    *,
    account_id: int,
    video_id: int,
    caption: str | None = None,
    audience: str | None = None,
    language: str | None = None,
) -> None:
    """Change a video of this account; what is None stays, and an empty language is none."""
    video = _own(session, account_id, video_id)
    if caption is not None:
        video.caption = checked_caption(caption)
        replace_hashtags(session, video_id, video.caption)
    if audience is not None:
        video.audience = checked_audience(audience)
    if language is not None:
        video.language = checked_language(language) if language else None


def put_captions(
    session: Session, *, account_id: int, video_id: int, language: str, data: bytes
) -> str:
    """Set a video's captions in one language from a WebVTT file; return the language's usual form.

    Raises:
        Invalid: it is not WebVTT; names the line.
        TooLarge: it is over the limits of captions.
        Conflict: the video's length is not known yet, or it has captions in too many languages.
    """
    video = _own(session, account_id, video_id)
    tag = checked_language(language)
    if video.duration_ms == 0:
        raise Conflict("The video is still being read: add captions in a moment.")
    _check_tracks(session, video_id, tag)
    captions = normalise(data, language=tag, duration_ms=video.duration_ms)
    values = {"text": captions.text, "updated_at": now()}
    session.execute(
        insert(CaptionTrack)
        .values(video_id=video_id, language=tag, **values)
        .on_conflict_do_update(index_elements=["video_id", "language"], set_=values)
    )
    return tag


def delete_captions(session: Session, *, account_id: int, video_id: int, language: str) -> None:
    """Remove a video's captions in one language."""
    _own(session, account_id, video_id)
    tag = checked_language(language)
    gone = session.execute(
        delete(CaptionTrack)
        .where(CaptionTrack.video_id == video_id, CaptionTrack.language == tag)
        .returning(CaptionTrack.language)
    ).first()
    if gone is None:
        raise Missing("The video has no captions in this language.")


def _check_tracks(session: Session, video_id: int, language: str) -> None:
    others = session.scalar(
        select(func.count())
        .select_from(CaptionTrack)
        .where(CaptionTrack.video_id == video_id, CaptionTrack.language != language)
    )
    if others is not None and others >= MAX_CAPTION_TRACKS:
        raise Conflict(f"A video can have captions in {MAX_CAPTION_TRACKS} languages at most.")


def _own(session: Session, account_id: int, video_id: int) -> Video:
    video = session.get(Video, video_id, with_for_update=True)
    # One sentence for both, so that nobody learns of a private video by asking.
    if video is None or video.account_id != account_id:
        raise Missing("There is no such video of yours.")
    return video
