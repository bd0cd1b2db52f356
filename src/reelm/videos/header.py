"""The first bytes of a published file: what a player needs, nothing that tells of its source."""

import struct

import msgspec

from reelm.videos.boxes import body_of, box, boxes, find, full_box

# All that a player needs of the moov tree. Everything else (udta, meta, uuid …) is left behind.
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"mvex"}
_KEPT = {
    *(b"mvhd", b"tkhd", b"elst", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"dref", b"stsd"),
    *(b"stts", b"stsc", b"stsz", b"stco", b"trex"),
}
_ENTRY_BOXES = {b"avcC", b"colr", b"pasp", b"esds"}
_VISUAL_ENTRY, _AUDIO_ENTRY = 78, 28  # bytes before the boxes inside a sample entry
_TIMESCALE = 1000  # of the movie header; tracks keep their own
_UNDETERMINED = 0x55C4  # the language "und" in the packing of mdhd


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a published file."""

    number: int
    timescale: int
    is_video: bool
    codec: str
    skipped: int  # media time at which the presentation begins, from the edit list
    default_duration: int
    default_size: int
    default_flags: int


def tracks(moov: bytes) -> list[Track]:
    """List the tracks of a moov body."""
    defaults = {}
    for name, start, end in boxes(body_of(moov, b"mvex")):
        if name == b"trex":
            number, _, *rest = struct.unpack_from(">5I", body_of(moov, b"mvex")[start:end], 4)
            defaults[number] = rest
    return [
        _track(moov[start:end], defaults) for name, start, end in boxes(moov) if name == b"trak"
    ]


def _track(trak: bytes, defaults: dict[int, list[int]]) -> Track:
    (number,) = struct.unpack_from(">I", body_of(trak, b"tkhd"), 12)
    (timescale,) = struct.unpack_from(">I", body_of(trak, b"mdia/mdhd"), 12)
    is_video = body_of(trak, b"mdia/hdlr")[8:12] == b"vide"
    stsd = body_of(trak, b"mdia/minf/stbl/stsd")
    duration, size, flags = defaults.get(number, [0, 0, 0])
    return Track(
        number=number,
        timescale=timescale,
        is_video=is_video,
        codec=_avc_codec(stsd) if is_video else _aac_codec(stsd),
        skipped=_skipped(trak),
        default_duration=duration,
        default_size=size,
        default_flags=flags,
    )


def _skipped(trak: bytes) -> int:
    if find(trak, b"edts/elst") is None:
        return 0
    edits = body_of(trak, b"edts/elst")
    (media_time,) = struct.unpack_from(">q" if edits[0] else ">i", edits, 16 if edits[0] else 12)
    return max(int(media_time), 0)


def _avc_codec(stsd: bytes) -> str:
    """Name the codec as RFC 6381 does, from profile, constraints and level in avcC."""
    entry = body_of(stsd[8:], b"avc1")
    return "avc1." + body_of(entry[_VISUAL_ENTRY:], b"avcC")[1:4].hex().upper()


def _aac_codec(stsd: bytes) -> str:
    """Name the codec from the audio object type in the decoder configuration of esds."""
    entry = body_of(stsd[8:], b"mp4a")
    esds = body_of(entry[_AUDIO_ENTRY:], b"esds")
    at = 4
    while at < len(esds):
        tag = esds[at]
        at += 1
        while esds[at] & 0x80:
            at += 1
        at += 1
        if tag == 5:  # DecoderSpecificInfo
            return f"mp4a.40.{esds[at] >> 3}"
        at += {3: 3, 4: 13}.get(tag, 1)
    raise ValueError("esds has no decoder configuration")


def bare_header(moov: bytes, duration_s: float) -> bytes:
    """Rebuild a moov box from its body, without metadata, times or names, and with its duration."""
    return box(b"moov", _bare(moov, duration_s))


def _bare(data: bytes, duration_s: float) -> bytes:
    parts = []
    for name, start, end in boxes(data):
        body = data[start:end]
        if name == b"mvex":
            mehd = full_box(b"mehd", 0, 0, struct.pack(">I", round(duration_s * _TIMESCALE)))
            parts.append(box(name, mehd, _bare(body, duration_s)))
        elif name in _CONTAINERS:
            parts.append(box(name, _bare(body, duration_s)))
        elif name in _KEPT:
            parts.append(box(name, _without_traces(name, body)))
    return b"".join(parts)


def _without_traces(name: bytes, body: bytes) -> bytes:
    if name in (b"mvhd", b"tkhd", b"mdhd"):
        times = 16 if body[0] else 8
        body = body[:4] + bytes(times) + body[4 + times :]
    if name == b"mvhd" and body[0] == 0:
        return body[:12] + struct.pack(">I", _TIMESCALE) + body[16:]
    if name == b"mdhd":
        return body[:-4] + struct.pack(">HH", _UNDETERMINED, 0)
    if name == b"hdlr":
        return body[:24] + b"\0"
    if name == b"stsd":
        return body[:8] + b"".join(_bare_entry(body, *span) for span in boxes(body, 8))
    return body


def _bare_entry(stsd: bytes, name: bytes, start: int, end: int) -> bytes:
    head = _VISUAL_ENTRY if name == b"avc1" else _AUDIO_ENTRY
    fixed = bytearray(stsd[start : start + head])
    if name == b"avc1":
        fixed[42:74] = bytes(32)  # compressorname
    inner = [
        box(kind, stsd[first:last])
        for kind, first, last in boxes(stsd, start + head, end)
        if kind in _ENTRY_BOXES
    ]
    return box(name, bytes(fixed), *inner)
