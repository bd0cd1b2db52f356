"""Make the ladder of a video: every rendition from one decode, then let go of the original."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.events import publish as tell
from reelm.foundation.parts import Parts
from reelm.foundation.workspace import workspace
from reelm.videos.events import VideoFailed
from reelm.videos.ladder import Ladder, make_ladder
from reelm.videos.models import Rendition, Video
from reelm.videos.objects import check_prompt, forget
from reelm.videos.probe import probe
from reelm.videos.publish import (
    StoredRendition,
    limits_of,
    make_ready,
    put_rendition,
    refuse,
    store_rung,
)
from reelm.videos.repackage import Rung, as_rung
from reelm.videos.workspace import original_file

SOURCE = "source"
# A player that has begun on a retired rendition reads its old manifest to the end; a day covers
# pages that were left open.
RETIRED_FOR = timedelta(hours=24)
_PROGRESS_EVERY_S = 1.0


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    original: str
    source: str | None
    width: int
    height: int


def convert(parts: Parts, video_id: int, on_progress: Callable[[float], None]) -> None:
    """Make and store the renditions of a video; a video that has them is left alone.

    Raises:
        Invalid: the original cannot be converted, with the reason.
    """
    task = _task_of(parts, video_id)
    if task is None:
        return
    with (
        workspace(parts.home, f"ladder-{video_id}") as work,
        original_file(parts.home, parts.store, task.original) as original,
    ):
        ladder = _made(parts, task, original, work, on_progress)
        began_s = time.monotonic()
        stored = [store_rung(parts, rung) for rung in ladder.rungs]
    with parts.transaction() as session:
        check_prompt(began_s)
        _record(session, video_id, stored, keeps_source=ladder.matches_source)


def give_up(session: Session, video_id: int, reason: str) -> bool:
    """End the making of a ladder for good; return whether the video is playable without it."""
    refuse(session, video_id, reason)
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.state != "ready":
        return False
    if video.ladder_at is None and video.original_object is not None:
        video.reason = reason
        _drop_original(session, video)
    return True


def withdraw(session: Session, video_id: int, reason: str) -> None:
    """Refuse a video whose file turned out to be damaged after it had become playable."""
    refuse(session, video_id, reason)
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.state != "ready":
        return
    renditions = session.scalars(select(Rendition).where(Rendition.video_id == video_id)).all()
    forget(session, [video.original_object, video.poster_object, *(r.object for r in renditions)])
    for rendition in renditions:
        session.delete(rendition)
    video.state, video.reason = "failed", reason
    video.original_object = video.poster_object = None
    tell(session, VideoFailed(video_id=video_id))


def _task_of(parts: Parts, video_id: int) -> _Task | None:
    with parts.transaction() as session:
        video = session.get(Video, video_id)
        if video is None or video.original_object is None or video.ladder_at is not None:
            return None
        source = session.get(Rendition, (video_id, SOURCE))
        return _Task(
            original=video.original_object,
            source=source.object if source else None,
            width=source.width if source else 0,
            height=source.height if source else 0,
        )


def _made(
    parts: Parts, task: _Task, original: Path, work: Path, on_progress: Callable[[float], None]
) -> Ladder:
    return make_ladder(
        original,
        probe(original, work=work, limits=limits_of(parts.settings)),
        work=work,
        beside=_source_rung(parts, task, work),
        ffmpeg=parts.settings.media.ffmpeg or None,
        on_progress=_seldom(on_progress),
    )


def _source_rung(parts: Parts, task: _Task, work: Path) -> Rung | None:
    """Read the exact times of the source rendition's key frames from its own file.

    The row has them in ms; half a millisecond too late would force the frame after.
    """
    if task.source is None:
        return None
    local = work / "published.mp4"
    parts.store.fetch(task.source, local)
    copy = work / "described.mp4"
    rung = as_rung(SOURCE, local, copy, task.width, task.height)
    local.unlink()
    copy.unlink()
    return rung


def _seldom(on_progress: Callable[[float], None]) -> Callable[[float], None]:
    told_at = 0.0

    def tell(fraction: float) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _PROGRESS_EVERY_S:
            told_at = time.monotonic()
            on_progress(min(max(fraction, 0.0), 1.0))

    return tell


def _record(
    session: Session, video_id: int, stored: list[StoredRendition], *, keeps_source: bool
) -> None:
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.ladder_at is not None or video.state == "failed":
        forget(session, [one.key for one in stored])
        return
    for one in stored:
        put_rendition(session, video_id, one)
    source = session.get(Rendition, (video_id, SOURCE))
    if source is not None and not keeps_source and stored:
        source.retired_at = now()
    if video.state == "processing":
        make_ready(session, video)
    video.ladder_at = now()
    _drop_original(session, video)


def _drop_original(session: Session, video: Video) -> None:
    # It carries place, title and device.
    forget(session, [video.original_object])
    video.original_object = None
