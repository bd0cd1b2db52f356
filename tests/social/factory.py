"""Accounts and videos for the tests of social and feed, written straight into their tables."""

from datetime import datetime, timedelta
from typing import Any

from reelm.accounts.models import Account, Handle
from reelm.foundation.clock import now
from reelm.foundation.database import Session
from reelm.foundation.ids import new_id
from reelm.videos.models import Rendition, Video, VideoHashtag


def make_account(session: Session, handle: str | None = None, **fields: Any) -> int:
    account_id = new_id()
    handle = handle or f"a{account_id}"
    values = {"display_name": handle.title(), "bio": "", "links": [], "state": "active"} | fields
    session.add(Account(id=account_id, handle=handle, created_at=now(), **values))
    session.add(Handle(handle_key=handle.lower(), account_id=account_id))
    session.flush()
    return account_id


def make_video(
    session: Session,
    account_id: int,
    *,
    tags: tuple[str, ...] = (),
    published_at: datetime | None = None,
    age_h: float = 0,
    **fields: Any,
) -> int:
    video_id = new_id()
    published_at = published_at or now() - timedelta(hours=age_h)
    values = {
        "audience": "public",
        "state": "ready",
        "duration_ms": 10_000,
        "width": 1080,
        "height": 1920,
        "poster_object": "posters/ab/abcd",
        "caption": " ".join(f"#{tag}" for tag in tags),
    } | fields
    session.add(
        Video(
            id=video_id,
            account_id=account_id,
            created_at=published_at,
            published_at=published_at,
            **values,
        )
    )
    session.flush()
    session.add_all(VideoHashtag(video_id=video_id, tag=tag) for tag in tags)
    session.flush()
    return video_id


def make_rendition(session: Session, video_id: int, name: str, **fields: Any) -> None:
    short = {"source": 1080}.get(name) or int(name)
    values = {
        "object": f"renditions/ab/{name}",
        "size_bytes": 1000,
        "width": short,
        "height": short * 16 // 9,
        "codecs": "avc1.64001f,mp4a.40.2",
        "bitrate_bps": short * 2000,
        "peak_bps": short * 2200,
        "frame_rate": 30.0,
        "init_length": 700,
        "segments": [[700, 300, 2000]],
    } | fields
    session.add(Rendition(video_id=video_id, name=name, **values))
    session.flush()
