"""Find out what an upload is, and refuse what cannot be published, in its owner's words."""

import sys
from pathlib import Path
from typing import Any

import av
import msgspec

from reelm.foundation.errors import Invalid, TooLarge
from reelm.videos.decoders import DECODERS
from reelm.videos.sandbox import Bounds, opened, run

_CHILD = Path(__file__).with_name("probe_child.py")
_PYTHON = (Path(sys.base_prefix), Path(sys.prefix), Path(av.__file__).parent.parent, _CHILD)
# PQ and HLG among the AVCOL_TRC_* of libavutil/pixfmt.h
_HDR_TRANSFERS = (16, 18)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload may be at most."""

    max_duration_s: int = 600
    max_size_bytes: int = 2 * 1024**3
    max_width: int = 8192
    max_height: int = 8192
    max_pixels: int = 4096 * 4096


class Audio(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of an upload."""

    index: int
    codec: str
    profile: str
    channels: int
    rate: int


class Subtitles(msgspec.Struct, frozen=True, kw_only=True):
    """One text subtitle stream of an upload."""

    index: int
    codec: str
    language: str


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """The picture of an upload. Width and height are as stored; the display size is as seen."""

    index: int
    codec: str
    profile: str
    level: int
    pix_fmt: str
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int  # degrees counter-clockwise by which a player turns the stored picture
    is_mirrored: bool
    is_square_pixels: bool
    is_interlaced: bool
    frame_rate: float
    is_vfr: bool
    is_hdr: bool
    transfer: int
    matrix: int
    is_full_range: bool
    has_b_frames: bool
    bitrate_bps: int
    frame_count: int
    first_frame_ms: int
    keyframes_ms: tuple[int, ...]
    has_open_gops: bool
    is_trimmed: bool


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What one upload is."""

    container: str
    size_bytes: int
    duration_ms: int
    video: Video
    audio: Audio | None
    sound_starts_ms: int
    subtitles: tuple[Subtitles, ...]

    @property
    def short_edge(self) -> int:
        """The smaller side of the picture as seen, in pixels."""
        return min(self.video.display_width, self.video.display_height)


def probe(path: Path, *, work: Path, limits: Limits | None = None) -> Probe:
    """Read an upload in the sandbox; raise Invalid or TooLarge with the reason if it is no use."""
    limits = limits or Limits()
    size = path.stat().st_size
    if size == 0:
        raise Invalid("The file is empty.")
    if size > limits.max_size_bytes:
        raise TooLarge(
            f"The file has {_megabytes(size)};"
            f" at most {_megabytes(limits.max_size_bytes)} are accepted."
        )
    facts = _read(path, work, limits)
    _refuse_what_is_no_video(facts)
    _refuse_what_is_over(facts, limits)
    _refuse_what_is_broken(facts)
    return _judge(facts, size)


def _read(path: Path, work: Path, limits: Limits) -> dict[str, Any]:
    wanted = {
        "max_pixels": limits.max_pixels,
        "max_duration_s": limits.max_duration_s,
        "decoders": DECODERS,
    }
    with opened(path) as upload:
        outcome = run(
            [
                sys.executable,
                "-I",
                "-S",
                str(_CHILD),
                str(_PYTHON[2]),
                str(upload),
                msgspec.json.encode(wanted).decode(),
            ],
            work=work,
            inputs=[upload],
            read=_PYTHON,
            bounds=Bounds(
                wall_s=60, cpu_s=40, memory_bytes=2 * 1024**3, file_bytes=1024**2, nice=0
            ),
        )
    if not outcome.ok:
        refusal = Invalid(f"The video cannot be read: {outcome.overran or 'it is damaged'}.")
        refusal.add_note(outcome.errors)
        raise refusal
    facts: dict[str, Any] = msgspec.json.decode(outcome.output)
    return facts


def _refuse_what_is_no_video(facts: dict[str, Any]) -> None:
    if "container" not in facts:
        raise Invalid(_not_a_video(bytes.fromhex(facts["head"])))
    if facts.get("is_external"):
        raise Invalid(
            "The file points to other files instead of holding the video: upload the video itself."
        )
    if "video" not in facts:
        raise Invalid(
            "The file has sound but no picture." if facts["audio"] else "The file holds no video."
        )
    if facts["has_unknown_sound"]:
        raise Invalid("The sound is in a format that is not known here: try MP4 with AAC.")
    if not facts["video"]["codec"]:
        raise Invalid("The picture is in a format that is not known here: try MP4 with H.264.")


def _not_a_video(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"#extm3u", b"ffconcat", b"<mpd", b"[playlist]", b"<?xml", b"<smil")):
        return "This is a playlist, not a video: upload the video itself."
    images = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    if (
        head.startswith(images)
        or head[8:12] == b"WEBP"
        or head[4:12] in (b"ftypheic", b"ftypavif", b"ftypmif1")
    ):
        return "This is a picture, not a video."
    if (
        head.startswith((b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1"))
        or head[8:12] == b"WAVE"
    ):
        return "The file has sound but no picture."
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") or head[:4] in (
        b"\x1aE\xdf\xa3",
        b"RIFF",
        b"OggS",
    ):
        return "The video is cut off or damaged, so it cannot be opened: upload it again."
    return "This is not a video file."


def _refuse_what_is_over(facts: dict[str, Any], limits: Limits) -> None:
    width, height = facts["video"]["width"], facts["video"]["height"]
    if width > limits.max_width or height > limits.max_height or width * height > limits.max_pixels:
        raise TooLarge(
            f"The picture has {width}x{height} pixels;"
            f" at most {limits.max_width}x{limits.max_height}"
            f" and {limits.max_pixels / 1e6:.0f} million in all are accepted."
        )
    seconds = max(facts["stated_us"], _end_us(facts)) / 1e6
    if seconds > limits.max_duration_s:
        raise TooLarge(
            f"The video is {_clock(seconds)} long;"
            f" at most {_clock(limits.max_duration_s)} is accepted."
        )


def _refuse_what_is_broken(facts: dict[str, Any]) -> None:
    packets = facts.get("packets")
    if packets is None:
        raise Invalid("The video cannot be read: it is damaged.")
    video_ms, end_us = packets["end_us"] / 1000, _end_us(facts)
    is_short = facts["container"] in ("mov", "matroska", "avi") and (
        facts["stated_us"] - end_us > max(250_000, 0.03 * facts["stated_us"])
    )
    # Ogg states no length and a broken page is skipped: what is lost shows as a gap.
    has_hole = facts["container"] == "ogg" and (
        packets["widest_gap_us"] > max(500_000, 8 * packets["median_gap_us"])
    )
    if facts.get("is_cut") or is_short:
        raise Invalid(f"The video is cut off after {_clock(end_us / 1e6)}: upload it again.")
    if packets["damaged_us"] is not None or has_hole:
        at_us = packets["damaged_us"] or packets["widest_gap_at_us"]
        raise Invalid(f"The video is damaged at about {_clock(at_us / 1e6)}.")
    if packets["count"] == 0 or not facts["has_picture"]:
        raise Invalid("The picture cannot be decoded: the video is damaged or empty.")
    if packets["count"] == 1:
        raise Invalid("The file holds a single picture, not a video.")
    if video_ms < 1:
        raise Invalid("The video is zero seconds long.")


def _judge(facts: dict[str, Any], size: int) -> Probe:
    return Probe(
        container=facts["container"],
        size_bytes=size,
        duration_ms=round(_end_us(facts) / 1000),
        video=_video(facts["video"], facts["packets"]),
        audio=Audio(**facts["audio"]) if facts["audio"] and "sound_us" in facts else None,
        sound_starts_ms=round(facts.get("sound_us", [0])[0] / 1000),
        subtitles=tuple(Subtitles(**one) for one in facts["subtitles"]),
    )


def _video(seen: dict[str, Any], packets: dict[str, Any]) -> Video:
    seconds = (packets["end_us"] - packets["first_us"]) / 1e6
    width, height = _display_size(seen)
    spread = packets["high_gap_us"] - packets["low_gap_us"]
    as_read = ("index", "codec", "profile", "level", "pix_fmt", "width", "height", "rotation")
    flags = ("is_mirrored", "is_interlaced", "is_full_range", "transfer", "matrix")
    return Video(
        **{name: seen[name] for name in (*as_read, *flags)},
        display_width=width,
        display_height=height,
        is_square_pixels=seen["aspect"][0] == seen["aspect"][1],
        frame_rate=round(packets["count"] / seconds, 3) if seconds else 0.0,
        # Timestamps in ms (Matroska) wobble by one: only a tenth of a frame and more counts.
        is_vfr=spread > max(2000, packets["median_gap_us"] / 10),
        is_hdr=seen["transfer"] in _HDR_TRANSFERS,
        has_b_frames=packets["is_reordered"],
        bitrate_bps=round(packets["bytes"] * 8 / seconds) if seconds else 0,
        frame_count=packets["count"],
        first_frame_ms=round(packets["first_us"] / 1000),
        keyframes_ms=tuple(round(us / 1000) for us in packets["keys_us"]),
        has_open_gops=packets["open_gop"],
        is_trimmed=packets["discarded"],
    )


def _display_size(seen: dict[str, Any]) -> tuple[int, int]:
    """Apply the sample aspect ratio by shrinking a side, so that nothing is upscaled; then turn."""
    across, down = seen["aspect"]
    width, height = seen["width"], seen["height"]
    if across > down:
        height = round(height * down / across)
    else:
        width = round(width * across / down)
    return (height, width) if seen["rotation"] % 180 == 90 else (width, height)


def _end_us(facts: dict[str, Any]) -> int:
    ends = [facts.get("packets", {}).get("end_us", 0), facts.get("sound_us", [0, 0])[1]]
    return int(max(ends))


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d} min" if whole >= 60 else f"{seconds:.1f} s"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
