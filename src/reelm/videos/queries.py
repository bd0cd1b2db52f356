"""Reads of videos: frozen structs with exact columns, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.videos.models import CaptionTrack, Rendition, Video, VideoHashtag

# Most that one call returns; pages are smaller.
MAX_VIEWS = 200


class RenditionView(msgspec.Struct, frozen=True):
    """A rendition that a new manifest lists."""

    name: str
    width: int
    height: int
    codecs: str
    bitrate_bps: int
    size_bytes: int


class VideoView(msgspec.Struct, frozen=True, kw_only=True):
    """A video as its page shows it, without counts and without any judgement of who may see it."""

    id: int
    account_id: int
    caption: str
    language: str | None
    audience: str
    state: str
    reason: str | None
    sound_id: int | None
    duration_ms: int
    width: int
    height: int
    has_poster: bool
    placeholder: str
    created_at: datetime
    published_at: datetime | None
    ladder_at: datetime | None
    is_settled: bool  # nothing more will be made of it
    renditions: tuple[RenditionView, ...]
    captions: tuple[str, ...]  # languages
    hashtags: tuple[str, ...]


def load_views(session: Session, ids: Sequence[int]) -> list[VideoView]:
    """Return the videos with these ids in this order; ids of none are left out. Four queries.

    It asks nobody whether a viewer may see them: the caller does.
    """
    wanted = list(dict.fromkeys(ids))[:MAX_VIEWS]
    if not wanted:
        return []
    # First: a video that is ready by then has its renditions in the next queries.
    rows = session.execute(_VIDEOS.where(Video.id.in_(wanted))).all()
    renditions = _renditions(session, wanted)
    captions = _captions(session, wanted)
    hashtags = _hashtags(session, wanted)
    views = {
        row.id: VideoView(
            **row._asdict(),
            renditions=tuple(renditions[row.id]),
            captions=tuple(captions[row.id]),
            hashtags=tuple(hashtags[row.id]),
        )
        for row in rows
    }
    return [views[video_id] for video_id in wanted if video_id in views]


def load_view(session: Session, video_id: int) -> VideoView | None:
    """Return one video, or None."""
    return next(iter(load_views(session, [video_id])), None)


def own_video_ids(
    session: Session, account_id: int, *, before_id: int | None = None, limit: int = 30
) -> list[int]:
    """Return the ids of an account's own videos in any state, newest first."""
    query = select(Video.id).where(Video.account_id == account_id)
    if before_id is not None:
        query = query.where(Video.id < before_id)
    return list(session.scalars(query.order_by(Video.id.desc()).limit(limit)))


_VIDEOS = select(
    Video.id,
    Video.account_id,
    Video.caption,
    Video.language,
    Video.audience,
    Video.state,
    Video.reason,
    Video.sound_id,
    Video.duration_ms,
    Video.width,
    Video.height,
    Video.poster_object.is_not(None).label("has_poster"),
    Video.placeholder,
    Video.created_at,
    Video.published_at,
    Video.ladder_at,
    Video.original_object.is_(None).label("is_settled"),
)


def _renditions(session: Session, ids: list[int]) -> dict[int, list[RenditionView]]:
    found: dict[int, list[RenditionView]] = defaultdict(list)
    rows = session.execute(
        select(
            Rendition.video_id,
            Rendition.name,
            Rendition.width,
            Rendition.height,
            Rendition.codecs,
            Rendition.bitrate_bps,
            Rendition.size_bytes,
        )
        .where(Rendition.video_id.in_(ids), Rendition.retired_at.is_(None))
        .order_by(Rendition.height, Rendition.bitrate_bps)
    )
    for row in rows:
        columns = row._asdict()
        found[columns.pop("video_id")].append(RenditionView(**columns))
    return found


def _captions(session: Session, ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(CaptionTrack.video_id, CaptionTrack.language)
        .where(CaptionTrack.video_id.in_(ids))
        .order_by(CaptionTrack.language)
    )
    for video_id, language in rows:
        found[video_id].append(language)
    return found


def _hashtags(session: Session, ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(VideoHashtag.video_id, VideoHashtag.tag)
        .where(VideoHashtag.video_id.in_(ids))
        .order_by(VideoHashtag.tag)
    )
    for video_id, tag in rows:
        found[video_id].append(tag)
    return found
