"""Instant publish: make an upload playable before its ladder is made, where it can be."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.config import Settings
from reelm.foundation.errors import Invalid, ReelmError, Unavailable
from reelm.foundation.events import publish as tell
from reelm.foundation.ids import new_id
from reelm.foundation.jobs import defer
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts
from reelm.foundation.workspace import workspace
from reelm.videos import captions, poster, probe, repackage
from reelm.videos.draft import checked_language
from reelm.videos.events import VideoFailed, VideoReady
from reelm.videos.models import CaptionTrack, Rendition, Sound, Video
from reelm.videos.objects import POSTERS, RENDITIONS, check_prompt, forget
from reelm.videos.tasks import MAKE_LADDER
from reelm.videos.workspace import original_file

log = logging.getLogger(__name__)
NOT_AT_ONCE = Line("not published at once: {error}")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing has learned and stored of an upload, before any row says so."""

    probe: probe.Probe
    rendition: "StoredRendition | None"
    poster_object: str
    placeholder: str
    captions: tuple[captions.Captions, ...]
    stored_from_s: float  # time.monotonic() before the first object was stored

    @property
    def keys(self) -> list[str]:
        """Keys of the objects that were stored."""
        rendition = [self.rendition.key] if self.rendition else []
        return [self.poster_object, *rendition]


class StoredRendition(msgspec.Struct, frozen=True, kw_only=True):
    """A packaged file whose bytes are in the store."""

    rung: repackage.Rung
    key: str


def publish(parts: Parts, video_id: int) -> None:
    """Refuse an upload, or make it playable at once if it can be, and have its ladder made.

    Doing it again changes nothing: a video that is past this is left alone.
    """
    with parts.transaction() as session:
        video = session.get(Video, video_id)
        if video is None or video.state != "processing" or video.original_object is None:
            return
        key, is_known = video.original_object, video.width > 0
    if is_known:
        return  # its ladder publishes it, and was deferred with its size
    try:
        found = _find(parts, key, video_id)
    except Unavailable:
        raise
    except ReelmError as refusal:
        with parts.transaction() as session:
            refuse(session, video_id, refusal.sentence)
        return
    with parts.transaction() as session:
        check_prompt(found.stored_from_s)
        _record(session, video_id, found)


def refuse(session: Session, video_id: int, reason: str) -> None:
    """End a video that cannot be published; its owner reads the reason."""
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.state != "processing":
        return
    video.state, video.reason = "failed", reason
    forget(session, [video.original_object, video.poster_object])
    video.original_object = video.poster_object = None
    tell(session, VideoFailed(video_id=video_id))


def make_ready(session: Session, video: Video) -> None:
    """Let a video be seen from this transaction on."""
    video.state, video.published_at = "ready", now()
    tell(session, VideoReady(video_id=video.id))


def limits_of(settings: Settings) -> probe.Limits:
    """Return what an upload may be at most."""
    upload = settings.upload
    return probe.Limits(
        max_duration_s=upload.max_duration_s,
        max_size_bytes=upload.max_bytes,
        max_width=upload.max_side_px,
        max_height=upload.max_side_px,
    )


def store_rung(parts: Parts, rung: repackage.Rung) -> StoredRendition:
    """Store the bytes of a packaged file."""
    return StoredRendition(rung=rung, key=parts.store.put_file(RENDITIONS, rung.path).key)


def put_rendition(session: Session, video_id: int, stored: StoredRendition) -> None:
    """Insert the row of a rendition, or put it in the place of the one with its name."""
    rung = stored.rung
    values = {
        "object": stored.key,
        "size_bytes": rung.size_bytes,
        "width": rung.width,
        "height": rung.height,
        "codecs": rung.codecs,
        "bitrate_bps": rung.bitrate_bps,
        "peak_bps": rung.peak_bps,
        "frame_rate": rung.frame_rate,
        "init_length": rung.init_length,
        "segments": [list(segment) for segment in rung.segments],
        "retired_at": None,
    }
    session.execute(
        insert(Rendition)
        .values(video_id=video_id, name=rung.name, **values)
        .on_conflict_do_update(index_elements=["video_id", "name"], set_=values)
    )


def _find(parts: Parts, key: str, video_id: int) -> Found:
    ffmpeg = parts.settings.media.ffmpeg or None
    with (
        workspace(parts.home, f"publish-{video_id}") as work,
        original_file(parts.home, parts.store, key) as original,
        # The still takes longest: measured 0.4 s of 1.0 s for 15 s of 1080x1920.
        ThreadPoolExecutor(1) as beside,
    ):
        seen = probe.probe(original, work=work, limits=limits_of(parts.settings))
        still = beside.submit(poster.make_poster, original, seen, work=work, ffmpeg=ffmpeg)
        rung = _repackaged(original, seen, work, ffmpeg)
        tracks = captions.extract_captions(original, seen, work=work, ffmpeg=ffmpeg)
        began_s = time.monotonic()
        rendition = store_rung(parts, rung) if rung else None
        made = still.result()
        return Found(
            probe=seen,
            captions=tracks,
            stored_from_s=began_s,
            rendition=rendition,
            poster_object=parts.store.put_file(POSTERS, made.path).key,
            placeholder=made.placeholder,
        )


def _repackaged(
    original: Path, seen: probe.Probe, work: Path, ffmpeg: str | None
) -> repackage.Rung | None:
    if repackage.can_repackage(seen) is not None:
        return None
    try:
        return repackage.repackage(original, seen, work=work, ffmpeg=ffmpeg)
    except (Invalid, ValueError) as error:
        # Odd inside, though it looked plain: the ladder decodes it, or finds out why it cannot.
        log.info(NOT_AT_ONCE(error=error))
        return None


def _record(session: Session, video_id: int, found: Found) -> None:
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.state != "processing" or video.width > 0:
        forget(session, found.keys)  # deleted, or published by another worker, meanwhile
        return
    seen = found.probe
    video.duration_ms = seen.duration_ms
    video.width, video.height = seen.video.display_width, seen.video.display_height
    video.poster_object, video.placeholder = found.poster_object, found.placeholder
    if seen.audio is not None:
        video.sound_id = new_id()
        session.add(Sound(id=video.sound_id, account_id=video.account_id, created_at=now()))
    for track in found.captions:
        _keep_captions(session, video_id, track)
    if found.rendition is not None:
        put_rendition(session, video_id, found.rendition)
        make_ready(session, video)
    # What nobody can play yet goes before more sizes of what plays already.
    defer(session, MAKE_LADDER, priority=0 if found.rendition else 10, video_id=video_id)


def _keep_captions(session: Session, video_id: int, track: captions.Captions) -> None:
    try:
        language = checked_language(track.language)
    except Invalid:
        language = "und"  # the container's own words are not trusted to be a language
    session.execute(
        insert(CaptionTrack)
        .values(video_id=video_id, language=language, text=track.text, updated_at=now())
        .on_conflict_do_nothing()  # what the owner has put in the meantime stays
    )
