"""A still that stands for a video: neither black nor blurred, with a tiny one to paint first."""

import base64
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from reelm.videos.ffmpeg import BARE, checked, quiet, reading
from reelm.videos.picture import picture_steps
from reelm.videos.probe import Probe
from reelm.videos.sandbox import Bounds, Outcome, ffmpeg_path, opened, run

_MAX_EDGE = 720
# Measured on a 12 Mbit/s 1080p clip: each key frame costs 50 ms before the video is playable.
_CANDIDATES = 4
_APART_S = 0.9
_LOOK_INTO_S = 8
# With fewer key frames than this in the part looked at, every frame of it is decoded instead.
_ENOUGH_KEYS = 3
_TINY_EDGE = 18
_JUDGED_EDGE = 144  # enough to tell sharp from blurred, and 25 times cheaper than the whole


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """The still of a video."""

    path: Path
    width: int
    height: int
    placeholder: str  # a data URI of some 200 bytes


def make_poster(source: Path, probe: Probe, *, work: Path, ffmpeg: str | None = None) -> Poster:
    """Choose the best of a few early frames and write it as `poster.jpg`."""
    keys = sum(at < _LOOK_INTO_S * 1000 for at in probe.video.keyframes_ms)
    outcome = _candidates(source, probe, work, ffmpeg, keys_only=keys >= _ENOUGH_KEYS)
    if not (work / "candidate-1.jpg").exists() and keys >= _ENOUGH_KEYS:
        outcome = _candidates(source, probe, work, ffmpeg, keys_only=False)
    checked(outcome, [work / "candidate-1.jpg"], "No poster can be made of the video")
    width, height = _scaled(probe, _JUDGED_EDGE)
    frames = np.frombuffer(outcome.output, np.uint8)
    frames = frames[: len(frames) // (width * height) * width * height].reshape(-1, height, width)
    best = 1 + max(range(len(frames)), key=lambda i: _merit(frames[i]) * (1 - 0.02 * i))
    tiny = (work / f"tiny-{best}.webp").read_bytes()
    path = (work / f"candidate-{best}.jpg").rename(work / "poster.jpg")
    for left in (*work.glob("candidate-*.jpg"), *work.glob("tiny-*.webp")):
        left.unlink()
    width, height = _scaled(probe, _MAX_EDGE)
    placeholder = "data:image/webp;base64," + base64.b64encode(tiny).decode()
    return Poster(path=path, width=width, height=height, placeholder=placeholder)


def _candidates(
    source: Path, probe: Probe, work: Path, ffmpeg: str | None, *, keys_only: bool
) -> Outcome:
    """Write candidate-N.jpg and tiny-N.webp, and the grey frames to judge as output."""
    width, height = _scaled(probe, _MAX_EDGE)
    judged, tiny = _scaled(probe, _JUDGED_EDGE), _scaled(probe, _TINY_EDGE)
    chosen = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{_APART_S})'"
    graph = (
        f"[0:{probe.video.index}]{chosen},"
        + ",".join(picture_steps(probe.video, width, height))
        + ",split=3[a][b][c]"
        # JPEG is full range
        + ";[a]scale=out_range=pc,format=yuvj420p[jpeg]"
        + f";[b]scale={judged[0]}:{judged[1]}:flags=area,format=gray[grey]"
        + f";[c]scale={tiny[0]}:{tiny[1]}:flags=area[tiny]"
    )
    count = (
        "-frames:v",
        str(_CANDIDATES),
        "-fps_mode",
        "passthrough",
        *BARE,
        "-flags",
        "+bitexact",
    )
    with opened(source) as upload:
        return run(
            [
                *quiet(ffmpeg_path(ffmpeg)),
                *(("-skip_frame", "nokey") if keys_only else ()),
                *("-t", str(_LOOK_INTO_S), *reading(probe, upload), "-filter_complex", graph),
                *("-map", "[jpeg]", "-q:v", "4", *count, "-f", "image2", "candidate-%d.jpg"),
                *("-map", "[tiny]", "-c:v", "libwebp", "-quality", "40", *count),
                *("-f", "image2", "tiny-%d.webp"),
                *("-map", "[grey]", *count, "-f", "rawvideo", "pipe:1"),
            ],
            work=work,
            inputs=[upload],
            bounds=Bounds(wall_s=60, cpu_s=60, file_bytes=16 * 2**20, nice=0),
        )


def _scaled(probe: Probe, edge: int) -> tuple[int, int]:
    width, height = probe.video.display_width, probe.video.display_height
    share = min(1.0, edge / min(width, height))
    return max(int(width * share) // 2 * 2, 2), max(int(height * share) // 2 * 2, 2)


def _merit(grey: NDArray[np.uint8]) -> float:
    """Judge a frame by sharpness (variance of the Laplacian), contrast and exposure."""
    luma = grey.astype(np.float32)
    edges = (
        luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    )
    sharpness = float(np.log1p(edges.var())) if edges.size else 0.0
    contrast = min(float(luma.std()) / 40, 1.0)
    mean = float(luma.mean())
    exposure = min(max(mean - 16, 0.0) / 40, 1.0) * min(max(240 - mean, 0.0) / 30, 1.0)
    return sharpness * (0.1 + contrast) * (0.02 + exposure)
