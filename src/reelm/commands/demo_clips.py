"""Make the demo's clips: short, vertical, with sound, drawn by ffmpeg out of nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reelm.commands.demo_topics import TOPICS, Look, Topic
from reelm.foundation.errors import Unavailable
from reelm.videos.sandbox import Bounds, ffmpeg_path, run

WIDTH, HEIGHT = 540, 960
SHORTEST_S, LONGEST_S = 3.2, 5.7
RATE = 24
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/texmf/fonts")
# Bold faces that distributions commonly bring, best first.
FONTS = ("Inter-Bold", "DejaVuSans-Bold", "NotoSans-Bold", "LiberationSans-Bold", "FreeSansBold")
BEGINNING_S = 0.05
END_S = 0.35


@dataclass(frozen=True)
class Clip:
    """One clip to make and post."""

    name: str
    topic: Topic
    look: Look
    duration_s: float

    @property
    def caption(self) -> str:
        """What is posted with it; says that it is made up."""
        tags = " ".join(f"#{tag}" for tag in (*self.topic.hashtags, "demo"))
        return f"{self.look.caption} Made by a computer for this demo. {tags}"


def clips() -> list[Clip]:
    """Return all clips, in an order that changes topic from one to the next."""
    rounds = max(len(topic.looks) for topic in TOPICS)
    return list(_in_turn(rounds))


def _in_turn(rounds: int) -> Iterator[Clip]:
    for number in range(rounds):
        for place, topic in enumerate(TOPICS):
            if number < len(topic.looks):
                # 7 and 26 have no common divisor: durations differ from clip to clip.
                tenths = (7 * place + 11 * number) % 26
                duration_s = min(SHORTEST_S + tenths / 10, LONGEST_S)
                look = topic.looks[number]
                yield Clip(f"{topic.name}-{number + 1}", topic, look, duration_s)


def make_clip(clip: Clip, folder: Path, *, font: Path | None, ffmpeg: str | None = None) -> Path:
    """Draw one clip into `folder`, which must be its own; return its file.

    Args:
        clip: what to draw.
        folder: an existing folder; ffmpeg can write nowhere else.
        font: a font file for the title, or None for a clip without title.
        ffmpeg: the binary of the region's settings, or None for the one installed with us.

    Raises:
        Unavailable: ffmpeg could not make it; says why.
    """
    target = folder / f"{clip.name}.mp4"
    title = f",{_title(clip, font)}" if font else ""
    sound = _sound(clip.topic, clip.duration_s)
    graph = f"{clip.look.source},setsar=1,format=yuv420p{title}[v];{sound}[a]"
    argv = [
        *(ffmpeg_path(ffmpeg), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"),
        *("-filter_complex_threads", "1", "-filter_complex", graph, "-map", "[v]", "-map", "[a]"),
        *("-t", f"{clip.duration_s:.2f}", "-r", str(RATE), *_encoding(), target.name),
    ]
    bounds = Bounds(wall_s=120, cpu_s=120, file_bytes=32 << 20, nice=0)
    outcome = run(argv, work=folder, bounds=bounds)
    if not outcome.ok:
        reason = outcome.overran or outcome.errors.strip() or f"status {outcome.returncode}"
        raise Unavailable(f"The demo clip {clip.name} could not be made: {reason}.")
    return target


def title_font() -> Path | None:
    """Return a font of this machine for titles, or None where there is none."""
    for name in FONTS:
        for folder in FONT_FOLDERS:
            found = next(Path(folder).rglob(f"{name}.[ot]tf"), None)
            if found is not None:
                return found
    return None


def _encoding() -> tuple[str, ...]:
    # Key frames every second in closed groups, 8-bit 4:2:0 and AAC: published without encoding.
    # One thread per clip: two are made at a time.
    return (
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-threads", "1"),
        *("-maxrate", "5M", "-bufsize", "5M", "-g", str(RATE), "-keyint_min", str(RATE)),
        *("-sc_threshold", "0", "-flags", "+cgop", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart"),
    )


def _title(clip: Clip, font: Path) -> str:
    # A dark plate keeps the words readable on busy patterns.
    shade = "fontcolor=white:box=1:boxcolor=black@0.4:boxborderw=12"
    place = "x=(w-text_w)/2"
    big = f"drawtext=fontfile='{font}':text='{clip.topic.title}':fontsize=54:{place}:y=h*0.16"
    small = f"drawtext=fontfile='{font}':text='made-up demo clip':fontsize=22:{place}:y=h*0.16+92"
    fading = "alpha='min(1,t*2)'"
    return f"{big}:{shade}:{fading},{small}:{shade}:{fading}"


def _sound(topic: Topic, duration_s: float) -> str:
    """Pluck the chord's notes in turn over a soft drone of its root."""
    bar_s = topic.step_s * len(topic.chord)
    notes = []
    for place, semitones in enumerate(topic.chord):
        hertz = topic.root_hz * 2 ** (semitones / 12)
        begun_s = place * topic.step_s
        since = f"mod(t-{begun_s:.3f}+{bar_s:.3f},{bar_s:.3f})"
        tone = f"(sin(2*PI*{hertz:.2f}*t)+0.3*sin(4*PI*{hertz:.2f}*t))"
        # The first milliseconds rise, so that a pluck does not click.
        notes.append(f"{tone}*exp(-4*{since})*min(1,{since}*200)*gte(t,{begun_s:.3f})")
    drone = f"0.25*sin(PI*{topic.root_hz:.2f}*t)*(1+0.3*sin(2*t))"
    mixed = f"0.16*({'+'.join(notes)}+{drone})"
    ending = f"afade=t=in:d={BEGINNING_S},afade=t=out:st={duration_s - END_S:.2f}:d={END_S}"
    return f"aevalsrc='{mixed}':s=44100:c=mono:d={duration_s:.2f},{ending}"
