"""How every ffmpeg command of this room begins and ends."""

from collections.abc import Sequence
from pathlib import Path

from reelm.foundation.errors import Invalid
from reelm.videos.decoders import DECODERS
from reelm.videos.probe import Probe
from reelm.videos.sandbox import Outcome

# Leaves out titles, places, chapters and the names of muxer and encoder.
BARE = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-dn", "-sn")
# Slices and parameter sets only: no SEI (user data, encoder settings), no filler, nothing private.
BARE_H264 = "filter_units=pass_types=1-5|7-8"
FRAGMENTED = "+cmaf+frag_keyframe+delay_moov"


def quiet(ffmpeg: str) -> list[str]:
    """Begin a command: errors only, never a question."""
    return [ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"]


def reading(probe: Probe, upload: int) -> list[str]:
    """Read the upload behind a descriptor, as the container the probe found and nothing else."""
    return [
        *("-protocol_whitelist", "fd", "-codec_whitelist", DECODERS, "-f", probe.container),
        *("-fd", str(upload), "-i", "fd:"),
    ]


def checked(outcome: Outcome, made: Sequence[Path], sentence: str) -> None:
    """Raise Invalid, with the sentence and a reason, unless the command left its files."""
    if outcome.ok and all(path.exists() and path.stat().st_size for path in made):
        return
    refusal = Invalid(
        f"{sentence}: {outcome.overran or 'it is damaged or uses something unusual'}."
    )
    refusal.add_note(outcome.errors)
    raise refusal
