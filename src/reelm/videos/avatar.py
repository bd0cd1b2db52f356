"""A person's picture: a small square without anything the camera wrote into it."""

import os
from pathlib import Path

from reelm.foundation.errors import Invalid, TooLarge
from reelm.videos.ffmpeg import BARE, checked, quiet
from reelm.videos.sandbox import Bounds, ffmpeg_path, opened, run

_IMAGES = {b"\xff\xd8\xff": "jpeg_pipe", b"\x89PNG\r\n\x1a\n": "png_pipe"}
_EDGE = 256
_MAX_PIXELS = 50_000_000
_MAX_BYTES = 10 * 1024**2


def make_avatar(source: Path, *, work: Path, ffmpeg: str | None = None) -> Path:
    """Crop a JPEG, PNG or WebP picture to a 256-pixel square JPEG: `avatar.jpg`."""
    if source.stat().st_size > _MAX_BYTES:
        raise TooLarge(f"The picture is larger than {_MAX_BYTES // 1024**2} MB.")
    square = f"crop='min(iw,ih)':'min(iw,ih)',scale={_EDGE}:{_EDGE}:flags=area:out_range=pc"
    with opened(source) as upload:
        reading = [
            *("-protocol_whitelist", "fd", "-codec_whitelist", "mjpeg,png,webp"),
            *("-max_pixels", str(_MAX_PIXELS), "-f", _demuxer(os.pread(upload, 16, 0))),
            *("-fd", str(upload), "-i", "fd:"),
        ]
        outcome = run(
            [
                *quiet(ffmpeg_path(ffmpeg)),
                *reading,
                *("-vf", f"{square},format=yuvj420p", "-frames:v", "1", *BARE),
                *("-flags", "+bitexact", "-q:v", "3", "-f", "image2", "-update", "1", "avatar.jpg"),
            ],
            work=work,
            inputs=[upload],
            bounds=Bounds(wall_s=20, cpu_s=15, file_bytes=2**20, nice=0),
        )
    made = work / "avatar.jpg"
    checked(outcome, [made], "The picture cannot be read, or has over 50 million pixels")
    return made


def _demuxer(head: bytes) -> str:
    for magic, name in _IMAGES.items():
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp_pipe"
    raise Invalid("This is not a JPEG, PNG or WebP picture.")
