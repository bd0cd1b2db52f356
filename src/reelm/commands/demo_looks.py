"""How the demo's clips are drawn: each look is a picture that ffmpeg's own sources make up."""

from dataclasses import dataclass

# Patterns are drawn small and scaled up: smooth ones lose nothing, and blocks become sharp tiles.
# Both sides are multiples of 16, so that the blocks are alike and the encoder wastes nothing.
WIDTH, HEIGHT = 432, 768
SMOOTH = f"scale={WIDTH}:{HEIGHT}:flags=bicubic"
BLOCKS = f"scale={WIDTH}:{HEIGHT}:flags=neighbor"


@dataclass(frozen=True)
class Look:
    """One clip of a topic: what draws it, its more particular hashtag, and its words."""

    source: str
    tag: str
    caption: str


def mandelbrot(spot: str, scales: str, hue: int, tag: str, caption: str) -> Look:
    """Fall into one spot of the set; `scales` are the width of the plane before and after."""
    (x, y), (start, end) = spot.split(), scales.split()
    fall = f"start_x={x}:start_y={y}:start_scale={start}:end_scale={end}:end_pts=140"
    steps = f"hue=h={hue}:s=1.2,{SMOOTH}"
    return Look(f"mandelbrot=s=216x384:r=24:maxiter=200:{fall},{steps}", tag, caption)


def clouds(seed: int, scale: float, palette: str, tag: str, caption: str) -> Look:
    """Let noise drift; a small scale makes large clouds."""
    noise = _noise("72x128", seed, scale, octaves=3, pace=0.7)
    return Look(f"{noise},eq=contrast=2.2,{_tinted(palette, SMOOTH)}", tag, caption)


def tiles(seed: int, size: str, palette: str, tag: str, caption: str) -> Look:
    """Let few large tiles change colour, each at its own time."""
    # The noise changes within three tiles, however many there are: neighbours differ.
    across = max(3, int(size.split("x", maxsplit=1)[0]) // 3)
    noise = _noise(size, seed, across, octaves=2, pace=0.6)
    return Look(f"{noise},eq=contrast=3,{_tinted(palette, BLOCKS)}", tag, caption)


def sierpinski(kind: str, seed: int, size: str, palette: str, tag: str, caption: str) -> Look:
    """Wander over a fractal; a smaller picture of it looks nearer."""
    wander = f"sierpinski=s={size}:r=24:type={kind}:seed={seed}:jump=160"
    glow = "format=gray,gblur=sigma=1.4,eq=brightness=-0.06"
    return Look(f"{wander},{glow},{_tinted(palette, SMOOTH)}", tag, caption)


def gradient(kind: str, colours: str, speed: float, tag: str, caption: str) -> Look:
    """Blend a few colours and turn them slowly."""
    names = colours.split()
    given = ":".join(f"c{i}=0x{name}" for i, name in enumerate(names))
    how = f"n={len(names)}:type={kind}:speed={speed}:seed=7:{given}"
    drawn = f"gradients=s=144x256:r=24:x0=16:y0=24:x1=128:y1=240:{how}"
    return Look(f"{drawn},{SMOOTH}", tag, caption)


def rings(shape: str, speed: int, palette: str, tag: str, caption: str) -> Look:
    """Move a zone plate; `shape` are its bends across and down and the place of its middle."""
    # kt stays small: the middle must not flash more than three times a second (WCAG 2.3.1).
    kx2, ky2, xo, yo = shape.split()
    plate = f"zoneplate=s=216x384:r=24:kx2={kx2}:ky2={ky2}:kt={speed}:xo={xo}:yo={yo}"
    return Look(f"{plate},format=gray,gblur=sigma=0.8,{_tinted(palette, SMOOTH)}", tag, caption)


def life(rule: str, seed: int, size: str, colours: str, tag: str, caption: str) -> Look:
    """Play a cellular automaton of the Game of Life's kind."""
    alive, dead, mold = colours.split()
    paint = f"life_color=0x{alive}:death_color=0x{dead}:mold_color=0x{mold}:mold=9"
    board = f"life=s={size}:r=8:rule={rule}:seed={seed}:ratio=0.34:{paint}"
    return Look(f"{board},fps=24,{BLOCKS}", tag, caption)


def automaton(rule: int, seed: int, size: str, palette: str, tag: str, caption: str) -> Look:
    """Roll the rows of an elementary cellular automaton upward."""
    rows = f"cellauto=s={size}:r=12:rule={rule}:full=1:ratio=0.5:seed={seed}"
    glow = "format=gray,fps=24,scale=108:192:flags=neighbor,gblur=sigma=0.7"
    return Look(f"{rows},{glow},{_tinted(palette, SMOOTH)}", tag, caption)


def waves(expression: str, palette: str, tag: str, caption: str) -> Look:
    """Draw a formula of X (0..71), Y (0..127) and T (seconds) with values from 0 to 255."""
    drawn = f"nullsrc=s=72x128:r=24,format=gray,geq=lum='{expression}'"
    return Look(f"{drawn},{_tinted(palette, SMOOTH)}", tag, caption)


def mirrors(seed: int, scale: float, palette: str, tag: str, caption: str) -> Look:
    """Fold drifting noise twice, as a kaleidoscope does."""
    quarter = f"{_noise('54x96', seed, scale, octaves=3, pace=0.8)},eq=contrast=2.6"
    sides = "split[l0][l1];[l1]hflip[r];[l0][r]hstack"
    halves = "split[t0][t1];[t1]vflip[b];[t0][b]vstack"
    return Look(f"{quarter},{sides},{halves},{_tinted(palette, SMOOTH)}", tag, caption)


def _noise(size: str, seed: int, scale: float, *, octaves: int, pace: float) -> str:
    """Draw noise that is alike across and down, as pictures are 1.78 times as tall as wide."""
    scales = f"xscale={scale}:yscale={scale * 1.78:.2f}:tscale={pace}"
    return f"perlin=s={size}:r=24:random_mode=seed:seed={seed}:octaves={octaves}:{scales}"


def _tinted(palette: str, scaling: str) -> str:
    return f"format=gray,format=yuv444p,pseudocolor=p={palette},{scaling}"
