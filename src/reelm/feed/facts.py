"""What the ranker is told of videos, read from their tables."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from reelm.feed.ranker import VideoFacts
from reelm.social import with_audience
from reelm.videos.models import Video, VideoHashtag

# Videos handed over at once: the ranker is locked for a few ms for each such number.
AT_ONCE = 500


def all_facts(session: Session) -> Iterator[list[VideoFacts]]:
    """Yield all videos that lists show, oldest first, some at once."""
    query = _facts().where(_SHOWN_TO != "").order_by(Video.id)
    rows = session.execute(query.execution_options(yield_per=AT_ONCE))
    for some in rows.partitions(AT_ONCE):
        yield [facts for row in some if (facts := _from_row(row))]


def facts_of(
    session: Session, video_ids: Collection[int], account_ids: Collection[int]
) -> tuple[list[VideoFacts], list[int]]:
    """Return what is to be known of some videos, and of all videos of some accounts.

    Returns:
        The videos that lists show, and the ids of those that they do not show (any more).
    """
    gone, shown = set(video_ids), list[VideoFacts]()
    query = _facts().where(Video.id.in_(video_ids) | Video.account_id.in_(account_ids))
    for row in session.execute(query.order_by(Video.id)):
        facts = _from_row(row)
        if facts is None:
            gone.add(row.id)
        else:
            gone.discard(row.id)
            shown.append(facts)
    return shown, sorted(gone)


def _facts() -> Select[Any]:
    tags = (
        select(func.array_agg(VideoHashtag.tag))
        .where(VideoHashtag.video_id == Video.id)
        .scalar_subquery()
    )
    return with_audience(
        Video.id,
        Video.account_id,
        tags.label("tags"),
        Video.sound_id,
        Video.duration_ms,
        func.coalesce(Video.published_at, Video.created_at).label("published_at"),
        Video.language,
    )


_SHOWN_TO = with_audience().selected_columns[0]


def _from_row(row: Any) -> VideoFacts | None:
    if not row.shown_to:
        return None
    return VideoFacts(
        video_id=row.id,
        creator_id=row.account_id,
        tags=tuple(row.tags or ()),
        sound_id=row.sound_id or 0,
        duration_ms=row.duration_ms,
        published_ms=_ms(row.published_at),
        language=row.language or "",
        audience=row.shown_to,
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
