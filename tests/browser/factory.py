"""Clips whose upper left corner is red, so that a test sees which way up they play."""

import subprocess
from pathlib import Path

from reelm.videos.sandbox import ffmpeg_path

# The source has red places of its own: no colour is left of them.
_BOX = "hue=s=0,drawbox=0:0:iw/4:ih/4:red:fill"
_H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
_AAC = "-c:a aac -b:a 64k"
_TONE = "-f lavfi -i sine=440:r=48000:d=2.4"


def _drawn(size: str, rate: int = 24, seconds: float = 2.4) -> str:
    return f"-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}"


_TALL = f"{_drawn('180x320')} {_TONE} -vf {_BOX}"
_SMPTE = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none"

# kind -> (file name, ffmpeg's words without the output; @kind stands for another clip's path)
RECIPES = {
    "mov": ("a.mov", f"{_TALL} {_H264} -g 24 {_AAC}"),
    "mkv": ("a.mkv", f"{_TALL} {_H264} -g 24 {_AAC}"),
    "webm": ("a.webm", f"{_TALL} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    "avi": ("a.avi", f"{_TALL} -c:v mpeg4 -q:v 3 -c:a libmp3lame"),
    "ogv": ("a.ogv", f"{_TALL} -c:v libtheora -q:v 7 -c:a libvorbis"),
    "10fps": ("10.mp4", f"{_drawn('180x320', 10)} -vf {_BOX} {_H264} -g 10"),
    "60fps": ("60.mp4", f"{_drawn('180x320', 60)} -vf {_BOX} {_H264} -g 60"),
    "hdr": (
        "hdr.mp4",
        (
            f"{_drawn('180x320', seconds=1.2)} -vf {_BOX} -c:v libx265 -preset ultrafast "
            f"-pix_fmt yuv420p10le -tag:v hvc1 -x265-params {_SMPTE}"
        ),
    ),
    "anamorphic": ("sar.mp4", f"{_drawn('360x288')} -vf {_BOX},setsar=16/11 {_H264} -g 24"),
    "sideways": ("sideways.mp4", f"{_drawn('320x180')} {_TONE} -vf {_BOX} {_H264} -g 24 {_AAC}"),
    # The rotation is how far the picture is turned against the clock before it is shown.
    "rotated90": ("90.mp4", "-display_rotation 90 -i @sideways -c copy"),
    "rotated180": ("180.mp4", "-display_rotation 180 -i @sideways -c copy"),
    "rotated270": ("270.mp4", "-display_rotation 270 -i @sideways -c copy"),
    # Noise does not compress: large for its length, so that an upload takes a while.
    "heavy": (
        "holiday.mp4",
        (
            f"{_drawn('360x640', 24, 4)} -f lavfi -i sine=330:r=48000:d=4 "
            f"-vf noise=alls=60:allf=t,{_BOX} {_H264} -qp 30 -g 24 {_AAC}"
        ),
    ),
}


class Clips:
    """Makes each clip once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, kind: str) -> Path:
        """Return a clip of this kind."""
        name, recipe = RECIPES[kind]
        path = self.folder / name
        if not path.exists():
            words = (str(self(w[1:])) if w.startswith("@") else w for w in recipe.split())
            _ffmpeg([*words], path)
        return path

    def plain(self, number: int) -> Path:
        """Return one of many unlike clips."""
        path = self.folder / f"plain-{number}.mp4"
        if not path.exists():
            drawn = _drawn("180x320", 24, 2.4 + number % 3 * 0.5)
            look = f"{drawn} {_TONE} -vf hue=h={number * 26},{_BOX}"
            _ffmpeg(f"{look} {_H264} -g 24 {_AAC}".split(), path)
        return path


def _ffmpeg(words: list[str], path: Path) -> None:
    command = [ffmpeg_path(), "-v", "error", "-y", *words, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
