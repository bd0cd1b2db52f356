"""Instant publish: repackage a file that browsers already play, without re-encoding."""

from itertools import pairwise
from pathlib import Path

import msgspec

from reelm.videos.ffmpeg import BARE, BARE_H264, FRAGMENTED, checked, quiet, reading
from reelm.videos.fragments import Package, Segment, package
from reelm.videos.probe import Audio, Probe, Video
from reelm.videos.sandbox import Bounds, ffmpeg_path, opened, run

# What every browser decodes, in hardware on phones: H.264 up to 1080p60 (level 4.2), 8-bit 4:2:0.
_PROFILES = (
    "Baseline",
    "Constrained Baseline",
    "Main",
    "High",
    "Constrained High",
    "Progressive High",
)
_MAX_LEVEL = 42
_MAX_LONG_EDGE, _MAX_SHORT_EDGE = 1920, 1088
_MAX_RATE = 60.5
# A phone's 1080p60 is 17 to 24 Mbit/s. Above this a first viewer on a good line would wait.
_MAX_BITRATE_BPS = 30_000_000
_LONGEST_GOP_MS = 5_000
_APART_MS = 100  # picture and sound start together; more needs the ladder's padding
_SEGMENT_US = 1_900_000  # shortest segment; the next key frame after it starts a new one


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One published rendition and where its segments lie."""

    name: str
    path: Path
    width: int
    height: int
    codec: str
    codecs: str
    frame_rate: float
    bitrate_bps: int  # average over the file
    peak_bps: int
    size_bytes: int
    duration_ms: int
    init_length: int
    segments: tuple[Segment, ...]
    starts_s: tuple[float, ...]


def can_repackage(probe: Probe) -> str | None:
    """Return None if the upload can be published as it is, or else the reason why it cannot."""
    if probe.container not in ("mov", "matroska"):
        return f"the container is {probe.container}"
    return _picture_reason(probe.video) or _timing_reason(probe) or _sound_reason(probe.audio)


def _picture_reason(video: Video) -> str | None:
    edges = sorted((video.width, video.height))
    reasons = (
        (video.codec != "h264", f"the picture is {video.codec}"),
        (video.profile not in _PROFILES, f"the H.264 profile is {video.profile}"),
        (video.level > _MAX_LEVEL, f"the H.264 level is {video.level / 10}"),
        (video.pix_fmt not in ("yuv420p", "yuvj420p"), f"the pixels are {video.pix_fmt}"),
        (video.is_hdr, "the picture is HDR"),
        (not video.is_square_pixels, "the pixels are not square"),
        (video.is_mirrored, "the picture is mirrored"),
        (video.is_interlaced, "the picture is interlaced"),
        (edges[0] > _MAX_SHORT_EDGE or edges[1] > _MAX_LONG_EDGE, "the picture is above 1080p"),
        (video.frame_rate > _MAX_RATE, f"it has {video.frame_rate:.0f} frames per second"),
        (video.bitrate_bps > _MAX_BITRATE_BPS, f"it has {video.bitrate_bps / 1e6:.0f} Mbit/s"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _timing_reason(probe: Probe) -> str | None:
    video = probe.video
    keys = (*video.keyframes_ms, probe.duration_ms)
    longest = max((b - a for a, b in pairwise(keys)), default=0)
    reasons = (
        (video.has_open_gops, "its groups of pictures are open"),
        (
            not video.keyframes_ms or video.keyframes_ms[0] != video.first_frame_ms,
            "it starts between key frames",
        ),
        (longest > _LONGEST_GOP_MS, f"key frames are {longest / 1000:.1f} s apart"),
        (video.is_trimmed, "an edit list hides a part of it"),
        (abs(video.first_frame_ms) > _APART_MS, "the picture starts late"),
        (abs(probe.sound_starts_ms) > _APART_MS, "the sound starts late"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _sound_reason(audio: Audio | None) -> str | None:
    if audio is None:
        return None
    if audio.codec != "aac" or audio.profile != "LC":
        return f"the sound is {audio.codec} {audio.profile}".rstrip()
    if audio.channels not in (1, 2):
        return f"the sound has {audio.channels} channels"
    return f"the sound has {audio.rate} Hz" if audio.rate > 48_000 else None


def repackage(source: Path, probe: Probe, *, work: Path, ffmpeg: str | None = None) -> Rung:
    """Make the rung `source` of the upload's own picture and sound; can_repackage must agree."""
    raw, target = work / "source.raw.mp4", work / "source.mp4"
    with opened(source) as upload:
        outcome = run(
            [
                *quiet(ffmpeg_path(ffmpeg)),
                *reading(probe, upload),
                *("-map", f"0:{probe.video.index}"),
                *(("-map", f"0:{probe.audio.index}") if probe.audio else ()),
                *("-c", "copy", "-bsf:v", BARE_H264, *BARE),
                *("-movflags", FRAGMENTED, "-min_frag_duration", str(_SEGMENT_US)),
                *("-f", "mp4", raw.name),
            ],
            work=work,
            inputs=[upload],
            bounds=Bounds(wall_s=60, cpu_s=30, file_bytes=2 * probe.size_bytes + 2**20, nice=0),
        )
    checked(outcome, [raw], "The video cannot be repackaged")
    rung = as_rung("source", raw, target, probe.video.display_width, probe.video.display_height)
    raw.unlink()
    return rung


def as_rung(name: str, raw: Path, target: Path, width: int, height: int) -> Rung:
    """Package one of ffmpeg's files and describe it."""
    made: Package = package(raw, target)
    return Rung(
        name=name,
        path=target,
        width=width,
        height=height,
        codec="h264",
        codecs=made.codecs,
        frame_rate=round(made.frame_count * 1000 / max(made.duration_ms, 1), 3),
        bitrate_bps=made.average_bps,
        peak_bps=made.peak_bps,
        size_bytes=made.size_bytes,
        duration_ms=made.duration_ms,
        init_length=made.init_length,
        segments=made.segments,
        starts_s=made.starts_s,
    )
