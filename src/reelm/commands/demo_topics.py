"""What the demo's clips show: ten topics drawn by ffmpeg's own sources, four clips of each.

All of it is made up and says so: nothing here was filmed, written or recorded by anybody.
"""

from dataclasses import dataclass

# Patterns are drawn small and scaled up: smooth ones lose nothing, and blocks become sharp tiles.
SMOOTH = "scale=540:960:flags=bicubic"
BLOCKS = "scale=540:960:flags=neighbor"


@dataclass(frozen=True)
class Look:
    """One clip of a topic."""

    source: str
    caption: str


@dataclass(frozen=True)
class Topic:
    """A theme: its hashtags, who posts it, how it sounds, and its clips.

    `chord` are semitones above `root_hz`, plucked one after the other every `step_s`.
    """

    name: str
    title: str
    hashtags: tuple[str, ...]
    handle: str
    root_hz: float
    chord: tuple[int, ...]
    step_s: float
    looks: tuple[Look, ...]


def _tinted(palette: str, scaling: str) -> str:
    return f"format=gray,format=yuv444p,pseudocolor=p={palette},{scaling}"


def _mandelbrot(x: float, y: float, depth: float, hue: int, caption: str) -> Look:
    zoom = f"start_x={x}:start_y={y}:start_scale=1.6:end_scale={depth}:end_pts=140"
    return Look(f"mandelbrot=s=270x480:r=24:maxiter=220:{zoom},hue=h={hue}:s=1.2,{SMOOTH}", caption)


def _clouds(seed: int, scale: float, palette: str, caption: str) -> Look:
    noise = f"xscale={scale}:yscale={scale * 1.78:.2f}:tscale=0.7:octaves=3:seed={seed}"
    steps = f"eq=contrast=2.2,{_tinted(palette, SMOOTH)}"
    return Look(f"perlin=s=90x160:r=24:random_mode=seed:{noise},{steps}", caption)


def _tiles(seed: int, size: str, palette: str, caption: str) -> Look:
    noise = f"xscale=3:yscale=5.3:tscale=0.6:octaves=2:random_mode=seed:seed={seed}"
    return Look(f"perlin=s={size}:r=24:{noise},eq=contrast=3,{_tinted(palette, BLOCKS)}", caption)


def _sierpinski(kind: str, seed: int, palette: str, caption: str) -> Look:
    wander = f"sierpinski=s=270x480:r=24:type={kind}:seed={seed}:jump=160"
    glow = "format=gray,gblur=sigma=1.6,eq=brightness=-0.06"
    return Look(f"{wander},{glow},{_tinted(palette, SMOOTH)}", caption)


def _gradient(kind: str, colours: str, speed: float, caption: str) -> Look:
    names = colours.split()
    given = ":".join(f"c{i}=0x{name}" for i, name in enumerate(names))
    how = f"n={len(names)}:type={kind}:speed={speed}:seed=7:{given}"
    return Look(f"gradients=s=180x320:r=24:x0=20:y0=30:x1=160:y1=300:{how},{SMOOTH}", caption)


def _rings(bend: int, speed: int, palette: str, caption: str) -> Look:
    # kt stays small: the middle must not flash more than three times a second (WCAG 2.3.1).
    plate = f"zoneplate=s=270x480:r=24:kx2={bend}:ky2={bend * 16 // 9}:kt={speed}"
    return Look(f"{plate},format=gray,gblur=sigma=0.8,{_tinted(palette, SMOOTH)}", caption)


def _life(rule: str, seed: int, colours: str, caption: str) -> Look:
    life, death, mold = colours.split()
    paint = f"life_color=0x{life}:death_color=0x{death}:mold_color=0x{mold}:mold=9"
    board = f"life=s=36x64:r=8:rule={rule}:seed={seed}:ratio=0.34:{paint}"
    return Look(f"{board},fps=24,{BLOCKS}", caption)


def _automaton(rule: int, seed: int, palette: str, caption: str) -> Look:
    rows = f"cellauto=s=54x96:r=12:rule={rule}:full=1:ratio=0.5:seed={seed}"
    glow = "format=gray,fps=24,scale=108:192:flags=neighbor,gblur=sigma=0.7"
    return Look(f"{rows},{glow},{_tinted(palette, SMOOTH)}", caption)


def _waves(expression: str, palette: str, caption: str) -> Look:
    drawn = f"nullsrc=s=72x128:r=24,format=gray,geq=lum='{expression}'"
    return Look(f"{drawn},{_tinted(palette, SMOOTH)}", caption)


def _mirrors(seed: int, scale: float, palette: str, caption: str) -> Look:
    noise = f"xscale={scale}:yscale={scale * 1.78:.2f}:tscale=0.8:octaves=3:seed={seed}"
    quarter = f"perlin=s=68x120:r=24:random_mode=seed:{noise},eq=contrast=2.6"
    sides = "split[l0][l1];[l1]hflip[r];[l0][r]hstack"
    halves = "split[t0][t1];[t1]vflip[b];[t0][b]vstack"
    return Look(f"{quarter},{sides},{halves},{_tinted(palette, SMOOTH)}", caption)


TOPICS: tuple[Topic, ...] = (
    Topic(
        *("fractals", "Mandelbrot", ("fractals", "maths"), "demo_ana"),
        *(196.0, (0, 7, 12, 16), 0.25),
        (
            _mandelbrot(-0.743644, -0.131826, 0.004, 40, "Down the seahorse valley."),
            _mandelbrot(-1.25066, 0.02012, 0.006, 150, "The further in, the more there is."),
            _mandelbrot(-0.170337, -1.06506, 0.006, 230, "A tiny copy hides at the top."),
            _mandelbrot(0.275, 0.0065, 0.008, 300, "Elephants, if you squint."),
        ),
    ),
    Topic(
        *("waves", "Waves", ("waves", "calm"), "demo_bo"),
        *(130.81, (0, 4, 7, 11), 0.5),
        (
            _waves(
                "128+62*sin((X+16*sin(Y/12+T*2))/8+T*3)+60*sin(Y/17-T*2)", "cool", "Slow swell."
            ),
            _waves(
                "128+120*sin(hypot(X-36,Y-64)/5-T*5)*exp(-hypot(X-36,Y-64)/70)",
                *("viridis", "One drop, many rings."),
            ),
            _waves(
                "128+60*sin(hypot(X-10,Y-20)/5-T*4)+60*sin(hypot(X-62,Y-100)/5-T*4)",
                *("blues", "Two stones, one pond."),
            ),
            _waves("128+120*sin(Y/9+3*sin(X/22+T)-T*3)", "plasma", "Evening tide, from above."),
        ),
    ),
    Topic(
        *("tiles", "Tiles", ("tiles", "colour"), "demo_caro"),
        *(220.0, (0, 3, 7, 10), 0.25),
        (
            _tiles(3, "9x16", "turbo", "Which tile changes first?"),
            _tiles(14, "6x10", "plasma", "Big squares, warm evening."),
            _tiles(15, "18x32", "viridis", "A wall that cannot decide."),
            _tiles(92, "9x16", "magma", "Embers in a grid."),
        ),
    ),
    Topic(
        *("gradients", "Gradients", ("gradients", "colour"), "demo_dev"),
        *(146.83, (0, 4, 7, 9), 0.5),
        (
            _gradient("linear", "ff5f6d ffc371 2193b0 6dd5ed", 0.02, "Sunrise in four colours."),
            _gradient("radial", "0f2027 2c5364 00c9ff 92fe9d", 0.02, "Deep water light."),
            _gradient("circular", "f953c6 b91d73 fdc830 f37335", 0.02, "Round and round."),
            _gradient("spiral", "4776e6 8e54e9 ff0099 f9d423", 0.02, "A very slow pinwheel."),
        ),
    ),
    Topic(
        *("life", "Game of Life", ("life", "cells"), "demo_eli"),
        *(261.63, (0, 5, 7, 12), 0.2),
        (
            _life("S23/B3", 5, "33ffcc 101820 5b2a86", "Born with three neighbours."),
            _life("S23/B36", 8, "ffd166 073b4c ef476f", "High life: nearly the same rules."),
            _life(
                "S34678/B3678",
                11,
                "f4f1de 3d405b e07a5f",
                "Day and night: fill and void are alike.",
            ),
            _life("S12345/B3", 13, "a8ff78 16222a 3a6073", "It builds its own maze."),
        ),
    ),
    Topic(
        *("mirrors", "Mirrors", ("mirrors", "patterns"), "demo_ana"),
        *(174.61, (0, 4, 7, 11), 0.3),
        (
            _mirrors(2, 2.0, "inferno", "Fire, folded twice."),
            _mirrors(31, 1.6, "cool", "Ice on a window."),
            _mirrors(47, 2.4, "turbo", "Carnival mask."),
            _mirrors(63, 1.8, "viridis", "A garden seen from the air."),
        ),
    ),
    Topic(
        *("clouds", "Clouds", ("clouds", "calm"), "demo_bo"),
        *(110.0, (0, 7, 10, 14), 0.5),
        (
            _clouds(4, 1.6, "plasma", "Sky of another planet."),
            _clouds(21, 1.2, "blues", "Nothing but weather."),
            _clouds(33, 2.0, "magma", "Lava, at a safe distance."),
            _clouds(58, 1.4, "spectral", "Oil on a puddle."),
        ),
    ),
    Topic(
        *("geometry", "Sierpinski", ("geometry", "fractals"), "demo_caro"),
        *(233.08, (0, 2, 7, 9), 0.25),
        (
            _sierpinski("triangle", 6, "inferno", "Triangles all the way."),
            _sierpinski("carpet", 9, "plasma", "A carpet made of holes."),
            _sierpinski("triangle", 23, "cool", "The same triangle in neon."),
            _sierpinski("carpet", 27, "viridis", "Windows at night."),
        ),
    ),
    Topic(
        *("rings", "Rings", ("rings", "hypnotic"), "demo_dev"),
        *(164.81, (0, 3, 7, 12), 0.4),
        (
            _rings(60, -9, "magma", "Look at the middle."),
            _rings(70, 7, "turbo", "Now the other way."),
            _rings(40, -6, "cool", "Slow sonar."),
            _rings(90, 10, "plasma", "Too many rings? Never."),
        ),
    ),
    Topic(
        *("automata", "Automata", ("automata", "cells"), "demo_eli"),
        *(207.65, (0, 5, 7, 10), 0.2),
        (
            _automaton(30, 17, "viridis", "Rule 30: chaos from one line."),
            _automaton(110, 19, "inferno", "Rule 110 can compute anything."),
            _automaton(90, 29, "cool", "Rule 90 draws triangles."),
            _automaton(22, 37, "plasma", "Rule 22, for the stubborn."),
        ),
    ),
)
