"""Like a video. The total is kept by the trigger `count_acts`, whichever way a like goes."""

from dataclasses import dataclass

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.social.models import VideoCount, VideoLike
from reelm.social.visibility import require_watchable


@dataclass(frozen=True)
class Likes:
    """A video's likes, and whether one's own is among them."""

    likes: int
    is_liked: bool


def like(session: Session, account_id: int, video_id: int, country: str | None = None) -> Likes:
    """Like a video; liking again changes nothing.

    Raises:
        Missing: there is no such video for this account.
    """
    require_watchable(session, account_id, video_id, country)
    session.execute(
        insert(VideoLike)
        .values(account_id=account_id, video_id=video_id, created_at=now())
        .on_conflict_do_nothing()
    )
    return likes_of(session, account_id, video_id)


def unlike(session: Session, account_id: int, video_id: int, country: str | None = None) -> Likes:
    """Take a like back, also from a video that is not shown to one any more.

    Raises:
        Missing: there was no like, and there is no such video for this account.
    """
    removed = session.scalar(
        delete(VideoLike)
        .where(VideoLike.account_id == account_id, VideoLike.video_id == video_id)
        .returning(VideoLike.video_id)
    )
    if removed is None:
        require_watchable(session, account_id, video_id, country)
    return likes_of(session, account_id, video_id)


def likes_of(session: Session, account_id: int, video_id: int) -> Likes:
    """Return a video's likes as this account sees them."""
    mine = exists().where(VideoLike.account_id == account_id, VideoLike.video_id == video_id)
    likes = select(VideoCount.likes).where(VideoCount.video_id == video_id).scalar_subquery()
    row = session.execute(select(likes, mine)).one()
    return Likes(likes=row[0] or 0, is_liked=row[1])
