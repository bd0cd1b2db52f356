"""HLS playlists (RFC 8216bis) with byte ranges into one file per rung, and measured bandwidths.

They are written here because ffmpeg 5.1 with CRF wrote the audio's rate as the BANDWIDTH of each
variant.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec

from reelm.videos.fragments import Segment


class Playable(Protocol):
    """What a playlist says of a rendition: one just made (`Rung`), or one as it is stored."""

    @property
    def name(self) -> str:
        """Name in its address."""

    @property
    def width(self) -> int:
        """Width in pixels."""

    @property
    def height(self) -> int:
        """Height in pixels."""

    @property
    def codecs(self) -> str:
        """RFC 6381 codecs string."""

    @property
    def frame_rate(self) -> float:
        """Frames per second."""

    @property
    def bitrate_bps(self) -> int:
        """Average bits per second."""

    @property
    def peak_bps(self) -> int:
        """Bits per second of the dearest segment."""

    @property
    def init_length(self) -> int:
        """Bytes of ftyp and moov at the beginning."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Where the segments lie."""


class CaptionTrack(msgspec.Struct, frozen=True):
    """A caption file that a player may choose."""

    language: str
    label: str


def master_playlist(rungs: Sequence[Playable], captions: Sequence[CaptionTrack] = ()) -> str:
    """Write master.m3u8; addresses are relative to its own."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="{_quotable(track.label)}"'
        f',LANGUAGE="{track.language}",AUTOSELECT=YES,DEFAULT=NO,URI="{track.language}.m3u8"'
        for track in captions
    ]
    group = ',SUBTITLES="captions"' if captions else ""
    for rung in sorted(rungs, key=lambda rung: rung.peak_bps):
        lines += [
            (
                f"#EXT-X-STREAM-INF:BANDWIDTH={rung.peak_bps},AVERAGE-BANDWIDTH={rung.bitrate_bps}"
                f',CODECS="{rung.codecs}",RESOLUTION={rung.width}x{rung.height}'
                f",FRAME-RATE={rung.frame_rate:.3f},VIDEO-RANGE=SDR{group}"
            ),
            f"{rung.name}.m3u8",
        ]
    return "\n".join(lines) + "\n"


def media_playlist(rung: Playable) -> str:
    """Write the playlist of one rung."""
    longest = max(segment.duration_ms for segment in rung.segments)
    lines = [
        *_opening(math.ceil(longest / 1000)),
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{rung.name}.mp4",BYTERANGE="{rung.init_length}@0"',
    ]
    for segment in rung.segments:
        lines += [
            f"#EXTINF:{segment.duration_ms / 1000:.3f},",
            f"#EXT-X-BYTERANGE:{segment.length}@{segment.offset}",
            f"{rung.name}.mp4",
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def captions_playlist(language: str, duration_ms: int) -> str:
    """Write the playlist that HLS wants around a single caption file."""
    seconds = duration_ms / 1000
    lines = [*_opening(math.ceil(seconds)), f"#EXTINF:{seconds:.3f},", f"{language}.vtt"]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def _opening(target_s: int) -> list[str]:
    return [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(target_s, 1)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
    ]


def _quotable(label: str) -> str:
    return "".join(c for c in label if c.isprintable() and c != '"')
