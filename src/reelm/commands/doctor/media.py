"""ffmpeg and its sandbox, tried by a small encode of the kind that uploads get."""

import subprocess
from collections.abc import Iterator

from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.foundation.config import Settings
from reelm.foundation.home import Home
from reelm.foundation.workspace import workspace
from reelm.videos.decoders import DECODERS
from reelm.videos.sandbox import Outcome, ffmpeg_path, run

ENCODERS = frozenset({"libx264", "aac", "libwebp", "mjpeg"})
PICTURE_FILTERS = {
    "scale",
    "format",
    "split",
    "setsar",
    "setparams",
    "fps",
    "select",
    "crop",
    "null",
}
FILTERS = PICTURE_FILTERS | {"bwdif", "aresample"}
# Without these HDR video is published with pale colours.
HDR_FILTERS = frozenset({"zscale", "tonemap"})
# What phones and browsers record; the other decoders are for old files.
COMMON_DECODERS = frozenset({"h264", "hevc", "vp9", "aac", "opus", "mp3"})
MEND = "Use the ffmpeg that is installed with Reelm (leave media.ffmpeg empty), or a full build."
TRY = (
    *("-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
    *("-f", "lavfi", "-i", "testsrc2=s=72x128:r=10:d=0.4", "-f", "lavfi", "-i", "sine=d=0.4"),
    *("-vf", "scale=36:64,format=yuv420p,setsar=1", "-c:v", "libx264", "-preset", "ultrafast"),
    *("-c:a", "aac", "-movflags", "+cmaf+frag_keyframe+delay_moov", "-f", "mp4", "try.mp4"),
)


def check_ffmpeg(settings: Settings) -> Check:
    """It runs and has the encoders, decoders and filters that videos need."""
    path = ffmpeg_path(settings.media.ffmpeg or None)
    version = _ask(path, "-version").partition("\n")[0].removeprefix("ffmpeg version ")
    lacking = (ENCODERS - _names(path, "-encoders")) | (FILTERS - _names(path, "-filters"))
    decoders = _names(path, "-decoders")
    lacking |= COMMON_DECODERS - decoders
    if lacking:
        return fail("ffmpeg", f"{path} lacks {', '.join(sorted(lacking))}.", MEND)
    if HDR_FILTERS - _names(path, "-filters"):
        return warn("ffmpeg", f"{path} lacks zscale or tonemap: HDR video will look pale.", MEND)
    known = set(DECODERS.split(","))
    usable = len(known & decoders)
    return ok("ffmpeg", f"{version.split(' ')[0]}, {usable} of {len(known)} decoders.")


def check_sandbox(home: Home, settings: Settings) -> Check:
    """A confined ffmpeg encodes, and reaches neither the network nor a file of the region."""
    name, path = "sandbox", ffmpeg_path(settings.media.ffmpeg or None)
    with workspace(home, "doctor") as work:
        encoded = run([path, *TRY], work=work)
        if not encoded.ok or not (work / "try.mp4").exists():
            return fail(name, f"A confined encode failed: {_why(encoded)}", MEND)
        # A loopback port that nobody listens on: an open network would say "refused".
        socket = run([path, "-hide_banner", "-i", "tcp://127.0.0.1:9"], work=work)
        if "Operation not permitted" not in socket.errors:
            sentence = f"A confined ffmpeg could open a socket: {_why(socket)}"
            return fail(name, sentence, "Run Reelm on a kernel with seccomp filters.")
        secret = run([path, "-hide_banner", "-i", str(home.path / "region.toml")], work=work)
    if "Permission denied" not in secret.errors:
        return warn(
            name,
            "This kernel has no Landlock: a media parser could read files of this user.",
            "Use a kernel of at least 5.13 with Landlock switched on.",
        )
    return ok(name, "A confined encode works, without network and without the region's files.")


def _ask(path: str, question: str) -> str:
    asked = subprocess.run(
        [path, "-hide_banner", question], capture_output=True, text=True, check=False, timeout=30
    )
    return asked.stdout


def _names(path: str, question: str) -> set[str]:
    return set(_listed(_ask(path, question)))


def _listed(text: str) -> Iterator[str]:
    """Yield the names of a list such as ` V....D libx264  libx264 H.264`."""
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[1] != "=":
            yield words[1]


def _why(outcome: Outcome) -> str:
    lines = [line for line in outcome.errors.strip().splitlines() if line.strip()]
    return outcome.overran or (lines[-1] if lines else f"status {outcome.returncode}")
