"""Make the demo's clips: short, vertical, with sound, drawn by ffmpeg out of nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reelm.commands.demo_looks import HEIGHT, WIDTH, Look
from reelm.commands.demo_sound import write_sound
from reelm.commands.demo_topics import TOPICS, Topic
from reelm.foundation.errors import Unavailable
from reelm.videos.sandbox import Bounds, ffmpeg_path, run

__all__ = ["HEIGHT", "LONGEST_S", "WIDTH", "Clip", "clips", "make_clip", "title_font"]

SHORTEST_S, LONGEST_S = 4.0, 6.5
RATE = 24
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/texmf/fonts")
# Bold faces that distributions commonly bring, best first.
FONTS = ("Inter-Bold", "DejaVuSans-Bold", "NotoSans-Bold", "LiberationSans-Bold", "FreeSansBold")


@dataclass(frozen=True)
class Clip:
    """One clip to make and post."""

    topic: Topic
    number: int  # its place in the topic
    duration_s: float

    @property
    def name(self) -> str:
        """What the demo remembers it by."""
        return f"{self.topic.name}-{self.number + 1}"

    @property
    def look(self) -> Look:
        """What it shows."""
        return self.topic.looks[self.number]

    @property
    def handle(self) -> str:
        """Who posts it: a topic's people take turns."""
        return f"demo_{self.topic.people[self.number % len(self.topic.people)]}"

    @property
    def caption(self) -> str:
        """What is posted with it; says that it is made up."""
        tags = f"#{self.topic.name} #{self.look.tag} #demo"
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
                yield Clip(topic, number, round(SHORTEST_S + tenths / 10, 1))


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
    target, sound = folder / f"{clip.name}.mp4", folder / "sound.wav"
    write_sound(clip.topic, clip.number, clip.duration_s, sound)
    title = f",{_title(clip, font)}" if font else ""
    graph = f"{clip.look.source},setsar=1,format=yuv420p{title}[v]"
    argv = [
        *(ffmpeg_path(ffmpeg), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"),
        *("-i", sound.name, "-filter_complex_threads", "1", "-filter_complex", graph),
        *("-map", "[v]", "-map", "0:a", "-t", f"{clip.duration_s:.2f}", "-r", str(RATE)),
        *(*_encoding(), target.name),
    ]
    bounds = Bounds(wall_s=120, cpu_s=120, file_bytes=32 << 20, nice=0)
    outcome = run(argv, work=folder, bounds=bounds)
    if not outcome.ok:
        reason = outcome.overran or outcome.errors.strip() or f"status {outcome.returncode}"
        raise Unavailable(f"The demo clip {clip.name} could not be made: {reason}.")
    sound.unlink()
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
    # One thread per clip: several are made at a time.
    return (
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-threads", "1"),
        *("-maxrate", "5M", "-bufsize", "5M", "-g", str(RATE), "-keyint_min", str(RATE)),
        *("-sc_threshold", "0", "-flags", "+cgop", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"),
    )


def _title(clip: Clip, font: Path) -> str:
    # A dark plate keeps the words readable on busy patterns.
    shade = "fontcolor=white:box=1:boxcolor=black@0.4:boxborderw=12"
    place = "x=(w-text_w)/2"
    big = f"drawtext=fontfile='{font}':text='{clip.topic.title}':fontsize=44:{place}:y=h*0.16"
    small = f"drawtext=fontfile='{font}':text='made-up demo clip':fontsize=18:{place}:y=h*0.16+76"
    fading = "alpha='min(1,t*2)'"
    return f"{big}:{shade}:{fading},{small}:{shade}:{fading}"
