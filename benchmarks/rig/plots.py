"""Line plots as small SVG files, without a library."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 60
# Told apart without colour as well: each line has its own dashes (colours: Okabe and Ito, 2008).
STYLES = (
    ("#0072b2", ""),
    ("#d55e00", "8 4"),
    ("#009e73", "2 3"),
    ("#cc79a7", "10 3 2 3"),
    ("#555555", "4 4"),
)


def line_plot(
    target: Path,
    series: Mapping[str, Points],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log: bool = False,
) -> None:
    """Write one line per series; `log` makes both axes logarithmic."""
    points = [point for line in series.values() for point in line]
    across = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, log=log)
    up = _Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, log=log, from_zero=True)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(WIDTH / 2, 20, title, size=15),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label),
        f'<g transform="translate(16 {middle}) rotate(-90)">{_text(0, 0, y_label)}</g>',
    ]
    for value in up.ticks():
        y = up.place(value)
        drawn.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        drawn.append(_text(LEFT - 6, y + 4, _short(value), anchor="end"))
    for value in across.ticks():
        x = across.place(value)
        drawn.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eeeeee"/>')
        drawn.append(_text(x, HEIGHT - BOTTOM + 18, _short(value)))
    for number, (name, line) in enumerate(series.items()):
        drawn += _line(number, name, [(across.place(x), up.place(y)) for x, y in line])
    target.write_text("\n".join([*drawn, "</svg>", ""]))


class _Axis:
    """Where values of one axis lie, from `begin` to `end` in pixels."""

    def __init__(
        self,
        values: Sequence[float],
        begin: float,
        end: float,
        *,
        log: bool,
        from_zero: bool = False,
    ) -> None:
        self.log, self.begin, self.end = log, begin, end
        self.least, self.most = min(values), max(values)
        if from_zero and not log:
            self.least = min(self.least, 0.0)
        if self.most <= self.least:
            self.most = self.least + 1

    def place(self, value: float) -> float:
        """Return where a value lies."""
        share = (self._scaled(value) - self._scaled(self.least)) / (
            self._scaled(self.most) - self._scaled(self.least)
        )
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Return round values within the axis."""
        if self.log:
            low, high = math.floor(math.log10(self.least)), math.ceil(math.log10(self.most))
            steps = (1, 3) if high - low < 5 else (1,)
            all_ticks = [m * 10.0**e for e in range(low, high + 1) for m in steps]
        else:
            rough = (self.most - self.least) / 6
            unit = 10 ** math.floor(math.log10(rough))
            step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
            first = math.ceil(self.least / step)
            all_ticks = [n * step for n in range(first, int(self.most / step) + 1)]
        return [tick for tick in all_ticks if self.least <= tick <= self.most]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value


def _line(number: int, name: str, places: Sequence[tuple[float, float]]) -> list[str]:
    colour, dashes = STYLES[number % len(STYLES)]
    look = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" fill="none"'
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    y = TOP - 14
    x = LEFT + number * (WIDTH - LEFT - RIGHT) / len(STYLES)
    return [
        f'<path d="M{path}" {look} stroke-linejoin="round"/>',
        f'<path d="M{x:.0f} {y}h24" {look}/>',
        _text(x + 30, y + 4, name, anchor="start"),
    ]


def _text(x: float, y: float, words: str, *, anchor: str = "middle", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="#222222">{escape(words)}</text>'


def _short(value: float) -> str:
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
