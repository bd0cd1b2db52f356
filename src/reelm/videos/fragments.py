"""Turn ffmpeg's fragmented MP4 into the file we publish, and learn where its segments lie.

One moof and mdat per segment, each starting at a key frame; in front of them ftyp and moov (the
init range) and one sidx, so that a plain <video src> can seek without any library.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from reelm.videos.boxes import body_of, box, boxes, full_box, top_level
from reelm.videos.header import Track, bare_header, tracks

_NOT_A_KEY_FRAME = 0x00010000  # sample_is_non_sync_sample
_FIL = 0b110  # id of the AAC fill element, ISO/IEC 14496-3 table 4.85


class Segment(NamedTuple):
    """Where one segment lies in its file, and how long it plays."""

    offset: int
    length: int
    duration_ms: int


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A published file, as a player sees it."""

    init_length: int
    size_bytes: int
    duration_ms: int
    segments: tuple[Segment, ...]
    starts_s: tuple[float, ...]  # presentation time of each segment's first frame
    codecs: str
    frame_count: int

    @property
    def average_bps(self) -> int:
        """Measured bits per second over the whole file."""
        return round(self.size_bytes * 8000 / max(self.duration_ms, 1))

    @property
    def peak_bps(self) -> int:
        """Measured bits per second of the dearest segment; a short one adds to the one before."""
        peak = float(self.average_bps)
        for i, part in enumerate(self.segments):
            size, duration_ms = part.length, part.duration_ms
            if i and duration_ms < 1000:
                size += self.segments[i - 1].length
                duration_ms += self.segments[i - 1].duration_ms
            peak = max(peak, size * 8000 / max(duration_ms, 1))
        return round(peak)


class _Run(NamedTuple):
    """The samples of one track in one fragment."""

    track: Track
    decode_time: int
    first_offset: int  # composition time minus decode time of the first sample
    duration: int
    is_key: bool
    data_offset: int  # from the start of the moof
    sizes: list[int]


class _Fragment(NamedTuple):
    offset: int
    length: int
    video: _Run
    runs: list[_Run]


def package(source: Path, target: Path) -> Package:
    """Write `source` to `target` without any metadata and return where its segments lie."""
    with source.open("rb") as file:
        spans = list(top_level(file))
        moov = b""
        for name, offset, size in spans:
            if name == b"moov":
                file.seek(offset + 8)
                moov = file.read(size - 8)
        all_tracks = tracks(moov)
        fragments = list(_fragments(file, spans, all_tracks))
        if not fragments:
            raise ValueError("the file has no fragments")
        durations = _durations(fragments)
        video = fragments[0].video.track
        init = box(b"ftyp", b"iso6\0\0\2\0iso6cmfcmp41") + bare_header(
            moov, sum(durations) / video.timescale
        )
        sidx = _sidx(fragments, durations)
        with target.open("wb") as out:
            out.write(init + sidx)
            for fragment in fragments:
                file.seek(fragment.offset)
                out.write(_without_fill_text(bytearray(file.read(fragment.length)), fragment))
    return _describe(all_tracks, fragments, durations, len(init), len(sidx))


def _describe(
    all_tracks: list[Track],
    fragments: list[_Fragment],
    durations: list[int],
    init_length: int,
    index_length: int,
) -> Package:
    scale = fragments[0].video.track.timescale
    segments, offset, elapsed = [], init_length + index_length, 0
    for fragment, duration in zip(fragments, durations, strict=True):
        # Rounded on the running sum, so that the parts add up to the whole.
        start_ms = round(elapsed * 1000 / scale)
        elapsed += duration
        segments.append(Segment(offset, fragment.length, round(elapsed * 1000 / scale) - start_ms))
        offset += fragment.length
    return Package(
        init_length=init_length,
        size_bytes=offset,
        duration_ms=round(elapsed * 1000 / scale),
        segments=tuple(segments),
        starts_s=tuple(_shown_at(fragment.video) / scale for fragment in fragments),
        codecs=",".join(t.codec for t in sorted(all_tracks, key=lambda t: not t.is_video)),
        frame_count=sum(len(fragment.video.sizes) for fragment in fragments),
    )


def _shown_at(video: _Run) -> int:
    return video.decode_time + video.first_offset - video.track.skipped


def _durations(fragments: list[_Fragment]) -> list[int]:
    starts = [_shown_at(fragment.video) for fragment in fragments]
    starts.append(starts[-1] + fragments[-1].video.duration)
    return [b - a for a, b in pairwise(starts)]


def _sidx(fragments: list[_Fragment], durations: list[int]) -> bytes:
    """Index the fragments by their video (ISO/IEC 14496-12, 8.16.3)."""
    video = fragments[0].video
    head = struct.pack(
        ">IIIIHH",
        video.track.number,
        video.track.timescale,
        max(_shown_at(video), 0),
        0,
        0,
        len(fragments),
    )
    starts_with_key_frame = 1 << 31 | 1 << 28
    entries = (
        struct.pack(">III", fragment.length, duration, starts_with_key_frame)
        for fragment, duration in zip(fragments, durations, strict=True)
    )
    return full_box(b"sidx", 0, 0, head, *entries)


def _fragments(
    file: BinaryIO, spans: list[tuple[bytes, int, int]], all_tracks: list[Track]
) -> Iterator[_Fragment]:
    by_number = {track.number: track for track in all_tracks}
    for (name, offset, size), (following, _, mdat_size) in pairwise(spans):
        if name != b"moof" or following != b"mdat":
            continue
        file.seek(offset)
        moof = file.read(size)
        runs = [
            _run(moof[start:end], by_number)
            for kind, start, end in boxes(moof, 8)
            if kind == b"traf"
        ]
        videos = [run for run in runs if run.track.is_video]
        if not videos or not videos[0].is_key:
            raise ValueError("a segment does not start with a key frame")
        yield _Fragment(offset, size + mdat_size, videos[0], runs)


def _run(traf: bytes, by_number: dict[int, Track]) -> _Run:
    tfhd = body_of(traf, b"tfhd")
    flags, number = struct.unpack_from(">II", tfhd)
    track = by_number[number]
    at, values = 8, {}
    for bit, width in ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4)):
        if flags & bit:
            values[bit] = int.from_bytes(tfhd[at : at + width])
            at += width
    tfdt = body_of(traf, b"tfdt")
    decode_time = int.from_bytes(tfdt[4:12] if tfdt[0] else tfdt[4:8])
    return _samples(
        body_of(traf, b"trun"),
        track,
        decode_time,
        duration=values.get(0x8, track.default_duration),
        size=values.get(0x10, track.default_size),
        sample_flags=values.get(0x20, track.default_flags),
    )


def _samples(
    trun: bytes, track: Track, decode_time: int, *, duration: int, size: int, sample_flags: int
) -> _Run:
    flags, count, data_offset = struct.unpack_from(">IIi", trun)
    at = 12
    first_flags = sample_flags
    if flags & 0x4:
        (first_flags,) = struct.unpack_from(">I", trun, at)
        at += 4
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    total, first_offset, sizes = 0, 0, []
    for i in range(count):
        sample = dict(zip(fields, struct.unpack_from(f">{len(fields)}I", trun, at), strict=True))
        at += 4 * len(fields)
        total += sample.get(0x100, duration)
        sizes.append(sample.get(0x200, size))
        if i == 0:
            first_flags = sample.get(0x400, first_flags)
            offset = sample.get(0x800, 0)
            first_offset = offset - (1 << 32) if offset >> 31 else offset
    is_key = not first_flags & _NOT_A_KEY_FRAME
    return _Run(track, decode_time, first_offset, total, is_key, data_offset, sizes)


def _without_fill_text(data: bytearray, fragment: _Fragment) -> bytearray:
    """Blank what AAC encoders write into fill elements at the start of a frame: their own name."""
    for run in fragment.runs:
        if run.track.is_video:
            continue
        at = run.data_offset
        for size in run.sizes:
            if size > 2 and data[at] >> 5 == _FIL:
                _blank_fill(data, at, size)
            at += size
    return data


def _blank_fill(data: bytearray, at: int, size: int) -> None:
    count, payload = (data[at] >> 1) & 0xF, 7
    if count == 0xF:
        count, payload = 14 + (((data[at] & 1) << 7) | data[at + 1] >> 1), 15
    whole = min((payload + 8 * count + 7) // 8, size)
    bits = int.from_bytes(data[at : at + whole])
    left = whole * 8 - payload  # bits from the payload's first to the end of `whole`
    if (bits >> (left - 4)) & 0xF != 0 or left < 8 * count:  # not EXT_FILL: it carries sound
        return
    spare = left - 8 * count
    mask = ((1 << (8 * count - 4)) - 1) << spare
    data[at : at + whole] = (bits & ~mask).to_bytes(whole)
