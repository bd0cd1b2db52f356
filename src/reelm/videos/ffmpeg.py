"""How every ffmpeg command of this room begins and ends."""

from collections.abc import Sequence
from pathlib import Path

from reelm.foundation.errors import Invalid
from reelm.videos.probe import Probe
from reelm.videos.sandbox import Outcome

# The decoders an upload may reach; what cameras, phones, browsers and old archives really write.
VIDEO_CODECS = frozenset(
    "h264 hevc vp8 vp9 av1 mpeg4 mpeg2video mpeg1video theora mjpeg prores dnxhd dvvideo h263 flv1 flv"
    " msmpeg4v2 msmpeg4v3 msmpeg4 wmv1 wmv2 wmv3 vc1 ffv1 cinepak svq1 svq3 qtrle rawvideo".split()
)
AUDIO_CODECS = frozenset(
    "aac mp3 mp3float mp2 mp2float opus vorbis ac3 eac3 flac alac amrnb amr_nb amrwb amr_wb wmav1 wmav2"
    " pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_f32le pcm_u8 pcm_mulaw pcm_alaw"
    " adpcm_ima_wav adpcm_ima_qt adpcm_ms".split()
)
_ALLOWED = ",".join(
    sorted(VIDEO_CODECS | AUDIO_CODECS | {"libdav1d", "libopus", "libvorbis", "av1", "srt", "subrip"})
    + ["mov_text", "ass", "ssa", "webvtt", "text"]
)

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
        *("-protocol_whitelist", "fd", "-codec_whitelist", _ALLOWED, "-f", probe.container),
        *("-fd", str(upload), "-i", "fd:"),
    ]


def checked(outcome: Outcome, made: Sequence[Path], sentence: str) -> None:
    """Raise Invalid with the sentence and its reason unless the command worked and left its files."""
    if outcome.ok and all(path.exists() and path.stat().st_size for path in made):
        return
    refusal = Invalid(f"{sentence}: {outcome.overran or 'it is damaged or uses something unusual'}.")
    refusal.add_note(outcome.errors)
    raise refusal
