"""All renditions of one upload in one ffmpeg process: one decode, the sound encoded once."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from reelm.foundation.errors import Invalid
from reelm.videos.ffmpeg import BARE, BARE_H264, FRAGMENTED, checked, quiet, reading
from reelm.videos.picture import picture_steps
from reelm.videos.probe import Probe
from reelm.videos.repackage import Rung, as_rung
from reelm.videos.sandbox import Bounds, Outcome, ffmpeg_path, opened, run

_EDGES = (360, 540, 720, 1080)
# A source between two edges gets a rung of its own size only if the best edge would lose more.
_WORTH = 0.8
# ffmpeg's own status for more decoding errors than -max_error_rate allows.
_TOO_MANY_ERRORS = 69
_MAX_RATE = 60
_SEGMENT_S = 2
_LONGEST_MATCHED_S = 5.0
# veryfast: the fastest preset with mixed references and mb-tree; superfast drops both. crf 23 is
# x264's own default; the caps keep noise from costing a viewer more than a phone line carries
# (bits per second at 30 fps).
_QUALITY = ("-preset", "veryfast", "-crf", "23", "-profile:v", "high", "-pix_fmt", "yuv420p")
_MAX_BPS = {360: 900_000, 540: 1_800_000, 720: 3_000_000, 1080: 5_500_000}
# MP4 and Matroska are files that were closed well: one frame that cannot be decoded is damage.
# Streams that were recorded off the air or from tape lose a frame now and then.
_FORGIVEN_SHARE = {"mov": 0.0, "matroska": 0.0}
_FORGIVEN_OTHERWISE = 0.02


class Damaged(Invalid):
    """The file itself is bad in a place that only a whole decode reaches."""


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """The renditions of one upload, smallest first."""

    rungs: tuple[Rung, ...]
    matches_source: bool  # segments begin where the `source` rung's do, so that it may stay
    cpu_s: float


class Size(msgspec.Struct, frozen=True):
    """Width and height of one rung; both even."""

    width: int
    height: int

    @property
    def edge(self) -> int:
        """The short edge, which names the rung."""
        return min(self.width, self.height)


def sizes(probe: Probe) -> tuple[Size, ...]:
    """Choose the rungs of an upload, smallest first; none is larger than the picture."""
    width, height = probe.video.display_width, probe.video.display_height
    short = min(width, height)
    edges = [edge for edge in _EDGES if edge <= short]
    if short < _EDGES[-1] and (not edges or edges[-1] < _WORTH * short):
        edges.append(short)
    return tuple(
        Size(max(width * edge // short // 2 * 2, 2), max(height * edge // short // 2 * 2, 2))
        for edge in edges
    )


def make_ladder(
    source: Path,
    probe: Probe,
    *,
    work: Path,
    beside: Rung | None = None,
    ffmpeg: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Ladder:
    """Encode every rung; `beside` is the instant-publish rung whose key frames they share."""
    chosen = sizes(probe)
    keys = _shared_keys(probe, beside)
    outcome = _encode(source, probe, work, chosen, keys, ffmpeg, on_progress)
    if probe.video.is_hdr and not outcome.ok and not outcome.overran:
        # Another build of ffmpeg may lack zscale: pale colours are better than no video.
        outcome = _encode(source, probe, work, chosen, keys, ffmpeg, on_progress, tone_map=False)
    raws = [work / _raw_name(size) for size in chosen]
    if outcome.returncode == _TOO_MANY_ERRORS:
        refusal = Damaged("The video is damaged: parts of it cannot be decoded.")
        refusal.add_note(outcome.errors)
        raise refusal
    checked(outcome, raws, "The video cannot be converted")
    rungs = []
    for size, raw in zip(chosen, raws, strict=True):
        name = str(size.edge)
        rungs.append(as_rung(name, raw, work / f"{name}.mp4", size.width, size.height))
        raw.unlink()
    return Ladder(
        rungs=tuple(rungs), matches_source=_matches(rungs, beside, keys), cpu_s=outcome.cpu_s
    )


def _shared_keys(probe: Probe, beside: Rung | None) -> tuple[float, ...]:
    """Return the segment starts to copy; none if the source rung is to be retired.

    A turned upload is published with its display matrix, which Chromium honours; the ladder is
    turned for good. To switch between the two, players would have to turn the picture in mid-play.
    """
    if beside is None or probe.video.rotation:
        return ()
    longest = max(segment.duration_ms for segment in beside.segments) / 1000
    return beside.starts_s if longest <= _LONGEST_MATCHED_S else ()


def _matches(rungs: Sequence[Rung], beside: Rung | None, keys: tuple[float, ...]) -> bool:
    """Measured, not assumed: every segment of every rung begins within 2 ms of the source's."""
    if beside is None or not keys:
        return False
    return all(
        len(rung.starts_s) == len(keys)
        and all(abs(a - b) < 0.002 for a, b in zip(rung.starts_s, keys, strict=True))
        for rung in rungs
    )


def _encode(
    source: Path,
    probe: Probe,
    work: Path,
    chosen: Sequence[Size],
    keys: tuple[float, ...],
    ffmpeg: str | None,
    on_progress: Callable[[float], None] | None,
    *,
    tone_map: bool = True,
) -> Outcome:
    video = probe.video
    seconds = max(probe.duration_ms / 1000, 1)
    work_pixels = video.width * video.height / 1e6 * max(video.frame_count, 1)
    with opened(source) as upload:
        argv = [
            *quiet(ffmpeg_path(ffmpeg)),
            *("-progress", "pipe:1", "-stats_period", "0.5"),
            *("-max_error_rate", str(_FORGIVEN_SHARE.get(probe.container, _FORGIVEN_OTHERWISE))),
            *("-err_detect", "explode", *_threads(), *reading(probe, upload)),
            *("-filter_complex", _graph(probe, chosen, tone_map=tone_map)),
            *_video_outputs(probe, chosen, keys),
            *_sound_output(probe),
            *BARE,
            *("-f", "tee", _tee(probe, chosen)),
        ]
        return run(
            argv,
            work=work,
            inputs=[upload],
            # Measured: 0.02 CPU s per million source pixels on a 2-core machine; ten times that is
            # a hang, not a slow machine.
            bounds=Bounds(
                wall_s=300 + seconds * 60,
                cpu_s=round(300 + work_pixels * 0.3),
                file_bytes=round(4 * 2**20 + seconds * 2 * 2**20),
                nice=10,
            ),
            on_line=_progress(on_progress, seconds),
        )


def _threads() -> tuple[str, ...]:
    # More than a dozen threads gain little on these sizes and each maps memory.
    return ("-threads", "12") if (os.cpu_count() or 1) > 12 else ()


def _graph(probe: Probe, chosen: Sequence[Size], *, tone_map: bool) -> str:
    """Scale to the largest rung once, then the smaller ones from it."""
    top = chosen[-1]
    timing = [f"fps={_MAX_RATE}"] if probe.video.frame_rate > _MAX_RATE + 0.5 else []
    steps = timing + picture_steps(probe.video, top.width, top.height, tone_map=tone_map)
    names = [f"[s{i}]" for i in range(len(chosen))]
    parts = [f"[0:{probe.video.index}]{','.join(steps)},split={len(chosen)}{''.join(names)}"]
    for i, size in enumerate(chosen):
        scaling = (
            "null" if size == top else f"scale={size.width}:{size.height}:flags=bicubic,setsar=1"
        )
        parts.append(f"[s{i}]{scaling}[v{i}]")
    return ";".join(parts)


def _video_outputs(probe: Probe, chosen: Sequence[Size], keys: tuple[float, ...]) -> list[str]:
    # A frame is made a key frame if it is at or after the time: half a frame early is never missed.
    early = min(0.25 / max(probe.video.frame_rate, 1), 0.005)
    forced = (
        ",".join(f"{max(at - early, 0):.6f}" for at in keys)
        if keys
        else f"expr:gte(t,n_forced*{_SEGMENT_S})"
    )
    argv: list[str] = []
    for i, size in enumerate(chosen):
        cap = next(bps for edge, bps in _MAX_BPS.items() if size.edge <= edge)
        cap = round(cap * (1.5 if probe.video.frame_rate > 45 else 1))
        argv += ["-map", f"[v{i}]", f"-maxrate:v:{i}", str(cap), f"-bufsize:v:{i}", str(2 * cap)]
        # Once per stream: ffmpeg cuts the list up as it reads it; a shared one serves only one.
        argv += [f"-force_key_frames:v:{i}", forced]
    return [
        *argv,
        *("-c:v", "libx264", *_QUALITY, *_threads()),
        # No key frame but the forced ones, so that all rungs cut at the same frames.
        *("-g", "100000", "-keyint_min", "1", "-sc_threshold", "0"),
        # Frames keep their own times: 10 fps stays 10, variable stays variable.
        *("-fps_mode", "passthrough", "-enc_time_base:v", "1:90000"),
        *("-bsf:v", BARE_H264, "-flags", "+global_header+bitexact"),
    ]


def _sound_output(probe: Probe) -> list[str]:
    if probe.audio is None:
        return []
    return [
        *(
            "-map",
            f"0:{probe.audio.index}",
            "-c:a",
            "aac",
            "-b:a",
            "128k",
            "-ac",
            "2",
            "-ar",
            "48000",
        ),
        *("-af", "aresample=async=1:first_pts=0"),
    ]


def _tee(probe: Probe, chosen: Sequence[Size]) -> str:
    sound = f",{len(chosen)}" if probe.audio else ""
    return "|".join(
        f"[f=mp4:select={i}{sound}:movflags={FRAGMENTED}:fflags=+bitexact"
        f":video_track_timescale=90000]{_raw_name(size)}"
        for i, size in enumerate(chosen)
    )


def _raw_name(size: Size) -> str:
    return f"{size.edge}.raw.mp4"


def _progress(on_progress: Callable[[float], None] | None, seconds: float) -> Callable[[str], None]:
    reached = 0.0

    def on_line(line: str) -> None:
        """Tell how far it is, where a line of ffmpeg's report says so; it never goes back."""
        nonlocal reached
        name, _, value = line.partition("=")
        if on_progress and name == "out_time_us" and value.lstrip("-").isdigit():
            # On a busy machine ffmpeg's own number was seen to step back, from 0.57 to 0.53.
            reached = max(reached, min(int(value) / 1e6 / seconds, 1.0))
            on_progress(reached)

    return on_line
