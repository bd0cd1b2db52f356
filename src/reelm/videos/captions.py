"""Captions as plain WebVTT: cues, times and bold, italic, underline; nothing that could be more."""

import html
import re
from pathlib import Path

import msgspec

from reelm.foundation.errors import Invalid, TooLarge
from reelm.videos.ffmpeg import quiet, reading
from reelm.videos.probe import Probe, Subtitles
from reelm.videos.sandbox import Bounds, ffmpeg_path, opened, run

_MAX_BYTES = 512 * 1024
_MAX_CUES = 5_000
_MAX_CUE_CHARACTERS = 2_000
_MAX_STREAMS = 8
_TIME = r"(?:(\d{1,3}):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s+-->\s+{_TIME}(?:\s+(.*))?$")
_SETTING = re.compile(
    r"^(?:align:(?:start|center|end|left|right)|(?:line|position|size):-?\d{1,3}(?:\.\d{1,3})?%?)$"
)
_TAG = re.compile(r"<(/?)([^<>]*)>")
_PLAIN_TAGS = {"b", "i", "u"}
# ISO 639-2 codes as containers write them -> the BCP 47 codes that pages use
_CODES = """
ara=ar ben=bn bul=bg ces=cs cze=cs chi=zh zho=zh dan=da deu=de ger=de dut=nl nld=nl ell=el gre=el
eng=en fas=fa per=fa fin=fi fra=fr fre=fr guj=gu heb=he hin=hi hun=hu ind=id ita=it jpn=ja kan=kn
kor=ko mal=ml mar=mr may=ms msa=ms nor=no pan=pa pol=pl por=pt ron=ro rum=ro rus=ru spa=es swa=sw
swe=sv tam=ta tel=te tha=th tur=tr ukr=uk urd=ur vie=vi
"""
_SHORT = dict(pair.split("=") for pair in _CODES.split())


class Captions(msgspec.Struct, frozen=True, kw_only=True):
    """One caption file."""

    language: str
    text: str
    cue_count: int


def normalise(data: bytes, *, language: str, duration_ms: int) -> Captions:
    """Check a WebVTT file and write it anew with only what captions need.

    Styles, notes, regions, voices, classes and unknown tags are left out; a cue that starts after
    the video's end is dropped. Raises Invalid or TooLarge with the line that is wrong.
    """
    if len(data) > _MAX_BYTES:
        raise TooLarge(
            f"The captions have {len(data) // 1024} KiB; at most {_MAX_BYTES // 1024} are accepted."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The captions are not UTF-8 text.") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    if not re.match(r"^WEBVTT(?:[ \t]|$)", lines[0]):
        raise Invalid("The captions are not WebVTT: the first line must be WEBVTT.")
    cues = sorted(cue for cue in _cues(lines) if cue[0] < duration_ms)
    if not cues:
        raise Invalid("The captions hold no cue within the video.")
    blocks = [
        f"{_clock(start)} --> {_clock(min(end, duration_ms))}{settings}\n{body}"
        for start, end, settings, body in cues
    ]
    return Captions(
        language=language, text="\n\n".join(["WEBVTT", *blocks]) + "\n", cue_count=len(cues)
    )


def _cues(lines: list[str]) -> list[tuple[int, int, str, str]]:
    cues: list[tuple[int, int, str, str]] = []
    at = 1
    while at < len(lines):
        if "-->" not in lines[at]:
            at += 1
            continue
        timing = _TIMING.match(lines[at])
        if timing is None:
            raise Invalid(f"Line {at + 1} of the captions has no valid times: {lines[at][:60]!r}.")
        start, end = _ms(timing.group(1, 2, 3, 4)), _ms(timing.group(5, 6, 7, 8))
        if end <= start:
            raise Invalid(f"Line {at + 1} of the captions ends before it starts.")
        settings = "".join(f" {s}" for s in (timing.group(9) or "").split() if _SETTING.match(s))
        at += 1
        body = []
        while at < len(lines) and lines[at].strip() and "-->" not in lines[at]:
            body.append(lines[at])
            at += 1
        # A blank line, as one of control characters alone is by now, would end the cue.
        said = "\n".join(line for line in _plain("\n".join(body)).split("\n") if line.strip())
        if len(said) > _MAX_CUE_CHARACTERS:
            raise TooLarge(f"The cue before line {at + 1} of the captions is too long.")
        if said:
            cues.append((start, end, settings, said))
        if len(cues) > _MAX_CUES:
            raise TooLarge(f"The captions have more than {_MAX_CUES} cues.")
    return cues


def _plain(body: str) -> str:
    """Keep b, i and u, properly nested; escape everything else."""
    out, still_open, at = [], [], 0
    for tag in _TAG.finditer(body):
        out.append(_escaped(body[at : tag.start()]))
        at = tag.end()
        name = tag.group(2).strip().lower()
        if name not in _PLAIN_TAGS:
            continue
        if not tag.group(1):
            still_open.append(name)
            out.append(f"<{name}>")
        while tag.group(1) and name in still_open:
            out.append(f"</{still_open.pop()}>")
    out.append(_escaped(body[at:]))
    return "".join(out) + "".join(f"</{name}>" for name in reversed(still_open))


def _escaped(text: str) -> str:
    visible = "".join(
        c for c in html.unescape(text) if c in "\n\t" or c.isprintable() or ord(c) >= 160
    )
    return html.escape(visible, quote=False)


def _ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, ms = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def extract_captions(
    source: Path, probe: Probe, *, work: Path, ffmpeg: str | None = None
) -> tuple[Captions, ...]:
    """Read the text subtitles inside an upload; a stream that cannot be read is left out."""
    wanted: dict[str, Subtitles] = {}
    for stream in probe.subtitles[:_MAX_STREAMS]:
        language = stream.language.lower()
        wanted.setdefault(_SHORT.get(language, language or "und"), stream)
    if not wanted:
        return ()
    with opened(source) as upload:
        argv = [*quiet(ffmpeg_path(ffmpeg)), *reading(probe, upload)]
        for stream in wanted.values():
            argv += ["-map", f"0:{stream.index}", "-c:s", "webvtt", "-map_metadata", "-1"]
            argv += ["-f", "webvtt", f"{stream.index}.vtt"]
        run(
            argv,
            work=work,
            inputs=[upload],
            bounds=Bounds(wall_s=60, cpu_s=30, file_bytes=4 * _MAX_BYTES, nice=5),
        )
    found = []
    for language, stream in wanted.items():
        path = work / f"{stream.index}.vtt"
        try:
            found.append(
                normalise(path.read_bytes(), language=language, duration_ms=probe.duration_ms)
            )
        except (FileNotFoundError, Invalid, TooLarge):
            continue
        finally:
            path.unlink(missing_ok=True)
    return tuple(found)
