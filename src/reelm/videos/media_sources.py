"""Everything of one video that has an address below /media/{video_id}/."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.videos import manifest
from reelm.videos.fragments import Segment
from reelm.videos.models import CaptionTrack, Rendition, Video


@dataclass(frozen=True)
class StoredRung:
    """A rendition's row as playlists need it."""

    name: str
    width: int
    height: int
    codecs: str
    frame_rate: float
    bitrate_bps: int
    peak_bps: int
    init_length: int
    segments: tuple[Segment, ...]


HLS = "application/vnd.apple.mpegurl"


@dataclass(frozen=True)
class MediaSource:
    """Where the bytes of one address are: here, or in the object store under `key`."""

    media_type: str
    etag: str
    key: str | None = None
    data: bytes | None = None


def media_sources(session: Session, video_id: int) -> dict[str, MediaSource]:
    """Return name -> source of each address of a video; empty where there is no such video."""
    video = session.execute(
        select(Video.poster_object, Video.duration_ms).where(Video.id == video_id)
    ).one_or_none()
    if video is None:
        return {}
    sources = _captions(session, video_id, video.duration_ms)
    tracks = [
        manifest.CaptionTrack(name.removesuffix(".vtt"), name.removesuffix(".vtt"))
        for name in sorted(sources)
        if name.endswith(".vtt")
    ]
    if video.poster_object:
        sources["poster.jpg"] = _object("image/jpeg", video.poster_object)
    listed = []
    for row in session.scalars(select(Rendition).where(Rendition.video_id == video_id)):
        rung = _rung(row)
        sources[f"{row.name}.mp4"] = _object("video/mp4", row.object)
        sources[f"{row.name}.m3u8"] = _text(HLS, manifest.media_playlist(rung))
        # Players that began on a retired rendition may finish on it; new ones are not told of it.
        if row.retired_at is None:
            listed.append(rung)
    if listed:
        sources["master.m3u8"] = _text(HLS, manifest.master_playlist(listed, tracks))
    return sources


def _captions(session: Session, video_id: int, duration_ms: int) -> dict[str, MediaSource]:
    sources = {}
    query = select(CaptionTrack.language, CaptionTrack.text)
    for language, text in session.execute(query.where(CaptionTrack.video_id == video_id)):
        sources[f"{language}.vtt"] = _text("text/vtt; charset=utf-8", text)
        playlist = manifest.captions_playlist(language, duration_ms)
        sources[f"{language}.m3u8"] = _text(HLS, playlist)
    return sources


def _object(media_type: str, key: str) -> MediaSource:
    return MediaSource(media_type, key.rsplit("/", 1)[-1][:32], key=key)


def _text(media_type: str, text: str) -> MediaSource:
    data = text.encode()
    return MediaSource(media_type, hashlib.sha256(data).hexdigest()[:32], data=data)


def _rung(row: Rendition) -> StoredRung:
    return StoredRung(
        name=row.name,
        width=row.width,
        height=row.height,
        codecs=row.codecs,
        frame_rate=row.frame_rate,
        bitrate_bps=row.bitrate_bps,
        peak_bps=row.peak_bps,
        init_length=row.init_length,
        segments=tuple(Segment(*segment) for segment in row.segments),
    )
