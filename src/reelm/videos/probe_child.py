"""Read the facts of one upload with PyAV and print them as JSON.

Run as a script inside the sandbox, never imported:
`python -I -S probe_child.py FOLDER_OF_AV DESCRIPTOR '{"max_pixels": …, "max_duration_s": …}'`.
It states what is there and judges nothing: probe.py does that, outside.
"""

import itertools
import json
import os
import struct
import sys
from fractions import Fraction
from typing import Any

sys.path.append(sys.argv[1])  # site-packages are off
import av
import av.error

av.logging.set_level(None)

# Real containers only: no playlist, no image sequence, nothing that names another file.
_FORMATS = "mov,matroska,avi,ogg,mpegts,mpeg,flv,asf"
_TEXT_SUBTITLES = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}
_ATTACHED_PICTURE = 0x400
_MICROSECOND = Fraction(1, 1_000_000)


def main() -> None:
    """Print the facts of the file behind the descriptor."""
    descriptor, limits = int(sys.argv[2]), json.loads(sys.argv[3])
    facts: dict[str, Any] = {"head": os.pread(descriptor, 64, 0).hex()}
    try:
        with av.open(
            "fd:",
            options={
                "fd": str(descriptor),
                "protocol_whitelist": "fd",
                "format_whitelist": _FORMATS,
                "codec_whitelist": limits["decoders"],
                "max_streams": "64",
            },
            metadata_errors="replace",
        ) as container:
            facts |= _header(container, limits)
            if facts["container"] == "mov":
                facts |= _boxes(descriptor)
            elif facts["container"] == "avi":
                facts["is_cut"] = _riff_is_cut(descriptor)
            video = _choose(container)
            if video is not None:
                facts["video"] = _video(video)
                _read_on(container, video, facts, limits)
    except (av.error.FFmpegError, ValueError) as error:
        facts["error"] = getattr(error, "strerror", None) or str(error)
    sys.stdout.write(json.dumps(facts))


def _choose(container: Any) -> Any:
    pictures = [s for s in container.streams.video if not int(s.disposition) & _ATTACHED_PICTURE]
    best = container.streams.best("video")
    return best if best in pictures else next(iter(pictures), None)


def _choose_sound(container: Any, limits: dict[str, Any]) -> Any:
    """Take the best stream that can be decoded: new phones add one that only they can play."""
    known = [
        s
        for s in container.streams.audio
        if s.codec_context is not None and s.codec_context.name in limits["decoders"].split(",")
    ]
    best = container.streams.best("audio")
    return best if best in known else next(iter(known), None)


def _header(container: Any, limits: dict[str, Any]) -> dict[str, Any]:
    audio = _choose_sound(container, limits)
    return {
        "container": container.format.name.split(",")[0],
        "stated_us": container.duration or 0,
        "start_us": container.start_time or 0,
        "audio": audio and _audio(audio),
        "has_unknown_sound": audio is None and len(container.streams.audio) > 0,
        "subtitles": [
            {"index": s.index, "codec": s.codec_context.name, "language": s.language or ""}
            for s in container.streams.subtitles
            if s.codec_context is not None and s.codec_context.name in _TEXT_SUBTITLES
        ],
    }


def _audio(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    return {
        "index": stream.index,
        "codec": context.name,
        "profile": context.profile or "",
        "channels": context.layout.nb_channels,
        "rate": context.sample_rate or 0,
    }


def _video(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    if context is None:
        return {"index": stream.index, "codec": "", "width": 0, "height": 0}
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return {
        "index": stream.index,
        "codec": context.name,
        "profile": context.profile or "",
        "level": context.level,
        "pix_fmt": context.pix_fmt or "",
        "width": context.width,
        "height": context.height,
        "aspect": [aspect.numerator, aspect.denominator] if aspect > 0 else [1, 1],
        "rate": float(stream.average_rate or stream.guessed_rate or 0),
        "transfer": int(context.color_trc),
        "primaries": int(context.color_primaries),
        "matrix": int(context.colorspace),
        "is_full_range": int(context.color_range) == 2,
        "fields": int(getattr(context, "field_order", 0) or 0),
    }


def _read_on(container: Any, video: Any, facts: dict[str, Any], limits: dict[str, Any]) -> None:
    """Read every packet; decode only until the first picture."""
    fits = facts["video"]["width"] * facts["video"]["height"] <= limits["max_pixels"]
    short = facts["stated_us"] <= limits["max_duration_s"] * 1_000_000
    if not (fits and short):
        return
    audio = container.streams[facts["audio"]["index"]] if facts["audio"] else None
    decodes = facts["video"]["codec"] in limits["decoders"].split(",")
    packets = _Packets(video, facts["start_us"])
    sound: list[int] = []
    picture: dict[str, Any] | None = None
    try:
        for packet in container.demux(*([video, audio] if audio else [video])):
            if packet.size == 0:
                continue
            if packet.stream_index == video.index:
                packets.add(packet)
                picture = picture or (_picture(packet, facts) if decodes else None)
            elif packet.pts is not None:
                span = [packet.pts, packet.pts + (packet.duration or 0)]
                sound += [int(at * packet.time_base / _MICROSECOND) for at in span]
    except av.error.FFmpegError as error:
        facts["read_error"] = error.strerror
    picture = picture or (_picture(None, facts, video) if decodes else None)
    facts["video"] |= picture or {}
    facts["has_picture"] = picture is not None
    facts["packets"] = packets.facts()
    if sound:
        facts["sound_us"] = [min(sound) - facts["start_us"], max(sound) - facts["start_us"]]


def _picture(packet: Any, facts: dict[str, Any], video: Any = None) -> dict[str, Any] | None:
    try:
        frames = packet.decode() if packet is not None else video.codec_context.decode(None)
    except (av.error.FFmpegError, AttributeError) as error:
        facts["decode_error"] = str(getattr(error, "strerror", "") or error)
        return None
    if not frames:
        return None
    frame = frames[0]
    matrix = next((d for d in frame.side_data if d.type.name == "DISPLAYMATRIX"), None)
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix)) if matrix else (1, 0, 0, 0, 1)
    return {
        "pix_fmt": frame.format.name,
        "rotation": frame.rotation % 360,
        "is_mirrored": a * d - b * c < 0,
        "is_interlaced": bool(frame.interlaced_frame),
        "width": frame.width,
        "height": frame.height,
    }


class _Packets:
    """What the video packets say of timing, key frames and damage."""

    def __init__(self, video: Any, start_us: int) -> None:
        context = video.codec_context
        extra = bytes(context.extradata or b"")
        self.codec = context.name
        self.start_us = start_us
        self.length_size = (
            0  # of the NAL unit lengths in ISO files; 0: start codes, or other codecs
        )
        if self.codec == "h264" and extra[:1] == b"\x01" and len(extra) > 6:
            self.length_size = (extra[4] & 3) + 1
        elif self.codec == "hevc" and extra[:1] == b"\x01" and len(extra) > 22:
            self.length_size = (extra[21] & 3) + 1
        self.times: list[int] = []
        self.keys: list[int] = []
        self.end_us = 0
        self.bytes = 0
        self.reordered = self.open_gop = self.discarded = False
        self.damaged_us: int | None = None
        self.latest_key: int | None = None

    def add(self, packet: Any) -> None:
        self.bytes += packet.size
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None:
            return
        us = int(at * packet.time_base / _MICROSECOND) - self.start_us
        self.reordered |= packet.pts is not None and packet.pts != packet.dts
        self.discarded |= packet.is_discard
        kinds = self._nal_kinds(bytes(packet), us) if self.length_size else None
        if packet.is_keyframe:
            self.keys.append(us)
            self.latest_key = us
            if self.codec == "h264" and kinds is not None and 5 not in kinds:
                self.open_gop = True  # a recovery point, not an IDR picture
        elif self.latest_key is not None and us < self.latest_key:
            self.open_gop = True
        self.times.append(us)
        length = int((packet.duration or 0) * packet.time_base / _MICROSECOND)
        self.end_us = max(self.end_us, us + length)

    def _nal_kinds(self, data: bytes, us: int) -> set[int]:
        kinds, at = set(), 0
        while at + self.length_size < len(data):
            length = int.from_bytes(data[at : at + self.length_size])
            at += self.length_size
            if length == 0 or at + length > len(data):
                self.damaged_us = us if self.damaged_us is None else self.damaged_us
                break
            kinds.add(data[at] & 0x1F)
            at += length
        return kinds

    def facts(self) -> dict[str, Any]:
        times = sorted(set(self.times))
        pairs = list(itertools.pairwise(times))
        gaps = sorted(b - a for a, b in pairs)
        widest = max(pairs, key=lambda pair: pair[1] - pair[0], default=(0, 0))
        middle = gaps[len(gaps) // 2] if gaps else 0
        return {
            "count": len(times),
            "bytes": self.bytes,
            "first_us": times[0] if times else 0,
            "end_us": max(self.end_us, times[-1] + middle) if times else 0,
            "median_gap_us": middle,
            "low_gap_us": gaps[len(gaps) // 20] if gaps else 0,
            "high_gap_us": gaps[-1 - len(gaps) // 20] if gaps else 0,
            "widest_gap_us": gaps[-1] if gaps else 0,
            "widest_gap_at_us": widest[0],
            "keys_us": sorted(self.keys),
            "is_reordered": self.reordered,
            "open_gop": self.open_gop,
            "discarded": self.discarded,
            "damaged_us": self.damaged_us,
        }


def _riff_is_cut(descriptor: int) -> bool:
    (size,) = struct.unpack_from("<I", os.pread(descriptor, 12, 0).ljust(12, b"\0"), 4)
    return bool(0 < size < 0xFFFFFFFF and size > os.fstat(descriptor).st_size)


def _boxes(descriptor: int) -> dict[str, Any]:
    """Walk an ISO file's boxes: does one run past the end, does a data reference leave the file?"""
    walk = _IsoWalk(descriptor)
    walk.boxes(0, os.fstat(descriptor).st_size, 0)
    return {"is_cut": walk.is_cut, "is_external": walk.is_external}


class _IsoWalk:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.is_cut = self.is_external = False
        self.left = 20_000  # boxes; a hostile file may hold millions

    def boxes(self, start: int, end: int, depth: int) -> None:
        while start + 8 <= end and self.left > 0:
            self.left -= 1
            size, name = struct.unpack(">I4s", self._bytes(8, start))
            head = 8
            if size == 1:
                size, head = int.from_bytes(self._bytes(8, start + 8)), 16
            elif size == 0:
                size = end - start
            if size < head:
                return
            if depth == 0 and start + size > end and name in (b"moov", b"mdat", b"moof"):
                self.is_cut = True
            stop = min(start + size, end)
            if name in (b"moov", b"trak", b"mdia", b"minf", b"dinf") and depth < 6:
                self.boxes(start + head, stop, depth + 1)
            elif name == b"dref":
                self.references(start + head + 8, stop)
            start += size

    def references(self, start: int, end: int) -> None:
        while start + 12 <= end and self.left > 0:
            self.left -= 1
            size, _, flags = struct.unpack(">I4sI", self._bytes(12, start))
            self.is_external |= not flags & 1  # bit 0: the media is in this very file
            if size < 12:
                return
            start += size

    def _bytes(self, count: int, at: int) -> bytes:
        return os.pread(self.descriptor, count, at).ljust(count, b"\0")


main()
