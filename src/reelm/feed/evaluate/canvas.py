"""Two ways to draw a plot: SVG, and PNG where no font and no library is needed."""

import math
import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import Literal, Protocol

import numpy as np

from reelm.feed.evaluate.glyphs import GLYPHS, HEIGHT, WIDTH

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
# Length of a dash and of the gap after it.
DASH = 6


class Canvas(Protocol):
    """White ground to draw lines and text on; x goes right and y down."""

    def line(self, points: Sequence[Point], colour: str, width: float, *, dashed: bool) -> None:
        """Draw a line through points."""

    def text(self, at: Point, words: str, anchor: Anchor = "start") -> None:
        """Write dark text on a base line."""

    def done(self) -> bytes:
        """Return the file."""


class Svg:
    """A drawing as text, sharp at any size."""

    def __init__(self, width: int, height: int, title: str) -> None:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img" font-family="sans-serif"'
            f' font-size="12" fill="#1a1a1a"><title>{escape(title)}</title>'
        )
        self._parts = [head, '<rect width="100%" height="100%" fill="#fff"/>']

    def line(self, points: Sequence[Point], colour: str, width: float, *, dashed: bool) -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = f' stroke-dasharray="{DASH}"' if dashed else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"'
            f' stroke-linejoin="round" stroke-linecap="round"{dash}/>'
        )

    def text(self, at: Point, words: str, anchor: Anchor = "start") -> None:
        """Write dark text on a base line."""
        self._parts.append(
            f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def done(self) -> bytes:
        """Return the file."""
        return "\n".join([*self._parts, "</svg>\n"]).encode()


class Png:
    """A drawing as pixels, two to the unit."""

    _SCALE = 2
    _DOT = 3  # pixels of one dot of a letter: text is as high as 10.5 units

    def __init__(self, width: int, height: int, title: str) -> None:
        self._pixels = np.full((height * self._SCALE, width * self._SCALE, 3), 255, np.uint8)
        self._title = title

    def line(self, points: Sequence[Point], colour: str, width: float, *, dashed: bool) -> None:
        """Draw a line through points."""
        rgb = np.frombuffer(bytes.fromhex(colour.removeprefix("#")), np.uint8)
        brush = max(round(width * self._SCALE), 1)
        path = [(x * self._SCALE, y * self._SCALE) for x, y in points]
        gone = 0.0
        for begin, end in zip(path, path[1:] or path, strict=False):
            length = math.dist(begin, end)
            steps = np.linspace(0, 1, math.ceil(length) + 1)
            if dashed:
                steps = steps[(gone + steps * length) // (DASH * self._SCALE) % 2 == 0]
            left, top = (
                np.round(begin[axis] + (end[axis] - begin[axis]) * steps - brush / 2).astype(int)
                for axis in (0, 1)
            )
            gone += length
            for across in range(brush):
                for down in range(brush):
                    self._pixels[top + down, left + across] = rgb

    def text(self, at: Point, words: str, anchor: Anchor = "start") -> None:
        """Write dark text on a base line, in capitals."""
        step = (WIDTH + 1) * self._DOT
        back = {"start": 0, "middle": len(words) * step // 2, "end": len(words) * step}[anchor]
        left, bottom = round(at[0] * self._SCALE) - back, round(at[1] * self._SCALE)
        top = bottom - HEIGHT * self._DOT
        for letter in words.upper():
            dots = np.kron(GLYPHS.get(letter, GLYPHS[" "]), np.ones((self._DOT, self._DOT)))
            ground = self._pixels[top:bottom, left : left + WIDTH * self._DOT]
            ground[dots[: ground.shape[0], : ground.shape[1]] > 0] = 26
            left += step

    def done(self) -> bytes:
        """Return the file (PNG, third edition, W3C 2025)."""
        height, width, _ = self._pixels.shape
        rows = b"".join(b"\0" + row.tobytes() for row in self._pixels)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            (
                _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
                _chunk(b"tEXt", b"Title\0" + self._title.encode("latin-1", "replace")),
                _chunk(b"IDAT", zlib.compress(rows, 9)),
                _chunk(b"IEND", b""),
            )
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
