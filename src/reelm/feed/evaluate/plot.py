"""The measures over time, the ranker beside its baselines, as one small drawing."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reelm.feed.evaluate.canvas import Anchor, Canvas, Png, Point, Svg
from reelm.feed.evaluate.tally import MEASURES, Guesses, Outcomes, Scores, score, windows
from reelm.foundation.errors import Invalid

WIDTH, HEIGHT = 960, 740
# Five panels in two columns; the sixth place is the legend's.
PANEL_WIDTH, PANEL_HEIGHT = 400, 170
LEFT, TOP, COLUMN, ROW = 64, 48, 472, 238
GRID, FRAME = "#dddddd", "#888888"
# Dark enough on white, and told apart without colour by width and dashes.
STROKES = (("#0b57d0", 2.5, False), ("#b3261e", 1.5, True), ("#3c6e3c", 1.5, False))
TITLES = ("recall@20", "NDCG@10", "AUC", "log loss (lower is better)", "XAUC")
LINES = 4

_CANVASES: dict[str, type[Svg | Png]] = {".svg": Svg, ".png": Png}

Course = Sequence[tuple[float, Scores]]


def check_plot_name(path: Path) -> None:
    """Check that the name says how to draw.

    Raises:
        Invalid: it ends neither in .svg nor in .png.
    """
    if path.suffix.lower() not in _CANVASES:
        raise Invalid(f"{path}: a plot is written to a .svg or a .png file.")


def draw(path: Path, outcomes: Outcomes, guesses: Mapping[str, Guesses]) -> None:
    """Draw the measures of each window of time; the file is whole or not there.

    Args:
        path: a name that ends in .svg or .png.
        outcomes: of the scored events.
        guesses: by the name of each model, in the order of the legend.
    """
    check_plot_name(path)
    width_ms, parts = windows(outcomes)
    courses = {
        name: [(middle_ms, score(outcomes, said, part)) for middle_ms, part in parts]
        for name, said in guesses.items()
    }
    times = (parts[0][0], parts[-1][0]) if parts else (0.0, 0.0)
    canvas = _CANVASES[path.suffix.lower()](WIDTH, HEIGHT, "Measures over time")
    for place, name in enumerate(MEASURES):
        corner = (LEFT + place % 2 * COLUMN, TOP + place // 2 * ROW)
        lines = {model: _values(course, name) for model, course in courses.items()}
        _panel(canvas, corner, TITLES[place], lines, times)
    _legend(canvas, (LEFT + COLUMN, TOP + 2 * ROW + 12), list(courses), width_ms)
    part_file = path.with_name(f"{path.name}.part")
    try:
        part_file.write_bytes(canvas.done())
        part_file.replace(path)
    finally:
        part_file.unlink(missing_ok=True)


def _values(course: Course, name: str) -> list[Point]:
    values = ((at_ms, msgspec.structs.asdict(scores)[name]) for at_ms, scores in course)
    return [(at_ms, value) for at_ms, value in values if value is not None]


def _panel(
    canvas: Canvas,
    corner: Point,
    title: str,
    courses: Mapping[str, list[Point]],
    times: tuple[float, float],
) -> None:
    left, top = corner
    canvas.text((left, top - 12), title)
    values = [value for course in courses.values() for _, value in course]
    if not values:
        canvas.text((left, top + PANEL_HEIGHT / 2), "too few events to tell")
        return
    bottom, step = _scale(values)
    for number in range(LINES + 1):
        y = top + PANEL_HEIGHT * (1 - number / LINES)
        line = [(left, y), (left + PANEL_WIDTH, y)]
        canvas.line(line, GRID if number else FRAME, 1, dashed=False)
        canvas.text((left - 6, y + 4), _number(bottom + number * step, step), "end")
    _times(canvas, corner, *times)
    begin_ms, span_ms = times[0], (times[1] - times[0]) or 1
    # The ranker comes first and is drawn last, above the others.
    for course, (colour, width, dashed) in reversed(
        list(zip(courses.values(), STROKES, strict=False))
    ):
        line = [
            (
                left + PANEL_WIDTH * (at_ms - begin_ms) / span_ms,
                top + PANEL_HEIGHT * (1 - (value - bottom) / (LINES * step)),
            )
            for at_ms, value in course
        ]
        if line:
            canvas.line(line, colour, width, dashed=dashed)


def _times(canvas: Canvas, corner: Point, begin_ms: float, end_ms: float) -> None:
    left, top = corner
    anchors: tuple[Anchor, ...] = ("start", "middle", "end")
    for number, anchor in enumerate(anchors if end_ms > begin_ms else anchors[:1]):
        share = number / (len(anchors) - 1)
        at = datetime.fromtimestamp((begin_ms + share * (end_ms - begin_ms)) / 1000, UTC)
        x, y = left + PANEL_WIDTH * share, top + PANEL_HEIGHT
        canvas.line([(x, y), (x, y + 4)], FRAME, 1, dashed=False)
        canvas.text((x, y + 20), f"{at:%m-%d %H:%M}", anchor)


def _scale(values: list[float]) -> tuple[float, float]:
    """Return a round value at the bottom and a round step so that all values fit in LINES steps."""
    low, high = min(values), max(values)
    step = 10.0 ** math.floor(math.log10(max((high - low) / LINES, 1e-4)))
    for factor in (1, 2, 2.5, 5, 10, 20):
        bottom = math.floor(low / (step * factor)) * step * factor
        if bottom + LINES * step * factor >= high:
            return bottom, step * factor
    return low, max((high - low) / LINES, step)


def _number(value: float, step: float) -> str:
    digits = max(math.ceil(-math.log10(step) - 1e-9), 0)
    is_exact = abs(round(step, digits) - step) < step / 1000
    return f"{value:.{digits if is_exact else digits + 1}f}"


def _legend(canvas: Canvas, corner: Point, names: Sequence[str], width_ms: float) -> None:
    left, top = corner
    for row, (name, (colour, width, dashed)) in enumerate(zip(names, STROKES, strict=False)):
        y = top + 24 * row
        canvas.line([(left, y), (left + 40, y)], colour, width, dashed=dashed)
        canvas.text((left + 52, y + 4), name.replace("_", " "))
    minutes = width_ms / 60_000
    wide = f"{minutes / 60:.1f} hours" if minutes >= 60 else f"{minutes:.1f} minutes"
    canvas.text((left, top + 24 * len(names) + 12), f"each point: {wide} of events, times in UTC")
