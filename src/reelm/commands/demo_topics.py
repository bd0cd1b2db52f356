"""What the demo's clips show: ten topics of twelve clips each, by three people each.

All of it is made up and says so: nothing here was filmed, written or recorded by anybody.
"""

from dataclasses import dataclass

from reelm.commands.demo_looks import (
    Look,
    automaton,
    clouds,
    gradient,
    life,
    mandelbrot,
    mirrors,
    rings,
    sierpinski,
    tiles,
    waves,
)


@dataclass(frozen=True)
class Topic:
    """A theme: its hashtag, who posts it, how it sounds, and its clips.

    The people take turns. `chord` are semitones above `root_hz`, plucked one after the other every
    `step_s`. Cheap topics stand first: the first clip is the one that somebody waits for.
    """

    name: str
    title: str
    people: tuple[str, ...]
    root_hz: float
    chord: tuple[int, ...]
    step_s: float
    looks: tuple[Look, ...]


TOPICS: tuple[Topic, ...] = (
    Topic(
        *("tiles", "Tiles", ("caro", "mina", "otto")),
        *(220.0, (0, 3, 7, 10), 0.25),
        (
            tiles(3, "9x16", "turbo", "mosaic", "Which tile changes first?"),
            tiles(14, "6x8", "plasma", "mosaic", "Big squares, warm evening."),
            tiles(15, "18x32", "viridis", "mosaic", "A wall that cannot decide."),
            tiles(92, "9x16", "magma", "mosaic", "Embers in a grid."),
            tiles(23, "2x32", "cool", "stripes", "Blinds, half open."),
            tiles(37, "12x2", "spectral", "stripes", "A barcode on holiday."),
            tiles(41, "1x48", "heat", "stripes", "Layer cake."),
            tiles(52, "27x3", "helix", "stripes", "Piano for giants."),
            tiles(66, "36x64", "blues", "pixels", "Rain on a small screen."),
            tiles(78, "36x48", "green", "pixels", "Moss, if moss were square."),
            tiles(83, "27x48", "fiery", "pixels", "Campfire in low resolution."),
            tiles(99, "54x96", "cividis", "pixels", "Sand that thinks."),
        ),
    ),
    Topic(
        *("life", "Game of Life", ("eli", "noor", "petra")),
        *(261.63, (0, 5, 7, 12), 0.2),
        (
            life("S23/B3", 5, "36x64", "33ffcc 101820 5b2a86", "conway", "Born with three."),
            life(
                "S23/B36", 8, "36x64", "ffd166 073b4c ef476f", "conway", "High life: one rule more."
            ),
            life("S23/B3", 21, "72x128", "ffffff 0b132b 3a506b", "conway", "The same, from afar."),
            life(
                "S238/B38", 24, "27x48", "f72585 10002b 7209b7", "conway", "Pedestrians at night."
            ),
            life(
                "S12345/B3", 13, "36x64", "a8ff78 16222a 3a6073", "mazes", "It builds its own maze."
            ),
            life(
                "S1234/B3",
                31,
                "54x96",
                "ffb703 023047 219ebc",
                "mazes",
                "A maze of straight halls.",
            ),
            life("S2345/B45678", 36, "54x96", "e9c46a 264653 e76f51", "mazes", "Walled cities."),
            life("S45678/B3", 39, "36x64", "ff6b6b 1a1423 5c374c", "mazes", "Coral, growing."),
            life("S34678/B3678", 11, "36x64", "f4f1de 3d405b e07a5f", "islands", "Day and night."),
            life("S5678/B35678", 44, "54x96", "90f1ef 0d1b2a ff8fa3", "islands", "Ink diamonds."),
            life(
                "S45678/B5678", 47, "72x128", "d8f3dc 081c15 40916c", "islands", "Neighbours vote."
            ),
            life("S235678/B378", 49, "36x64", "fefae0 283618 bc6c25", "islands", "Slow curdling."),
        ),
    ),
    Topic(
        *("automata", "Automata", ("finn", "gita", "hugo")),
        *(207.65, (0, 5, 7, 10), 0.2),
        (
            automaton(30, 17, "54x96", "viridis", "chaos", "Rule 30: chaos from one line."),
            automaton(110, 19, "54x96", "inferno", "chaos", "Rule 110 can compute anything."),
            automaton(45, 21, "36x64", "turbo", "chaos", "Rule 45 never settles."),
            automaton(54, 23, "108x192", "heat", "chaos", "Rule 54, very small."),
            automaton(90, 29, "54x96", "cool", "triangles", "Rule 90 draws triangles."),
            automaton(22, 37, "54x96", "plasma", "triangles", "Rule 22, for the stubborn."),
            automaton(18, 41, "108x192", "blues", "triangles", "Rule 18: lace."),
            automaton(122, 43, "36x64", "magma", "triangles", "Rule 122 up close."),
            automaton(184, 51, "54x96", "spectral", "traffic", "Rule 184 is a traffic jam."),
            automaton(60, 53, "36x64", "green", "traffic", "Rule 60 leans to one side."),
            automaton(73, 57, "54x96", "fiery", "traffic", "Rule 73 puts up walls."),
            automaton(150, 59, "27x48", "helix", "traffic", "Rule 150, in large print."),
        ),
    ),
    Topic(
        *("gradients", "Gradients", ("dev", "quin", "rosa")),
        *(146.83, (0, 4, 7, 9), 0.5),
        (
            gradient(
                "linear", "ff5f6d ffc371 2193b0 6dd5ed", 0.02, "sunset", "Four-colour sunrise."
            ),
            gradient("radial", "ffecd2 fcb69f ff6a88 4a1942", 0.03, "sunset", "The sun, too near."),
            gradient("linear", "fc4a1a f7b733 6a3093", 0.05, "sunset", "Desert, half past six."),
            gradient("square", "ff9966 ff5e62 2c003e", 0.03, "sunset", "A window to the west."),
            gradient("radial", "0f2027 2c5364 00c9ff 92fe9d", 0.02, "deepsea", "Deep water light."),
            gradient("circular", "000428 004e92 43cea2", 0.04, "deepsea", "A diver looks up."),
            gradient("linear", "0b486b f56217 0b486b", 0.04, "deepsea", "An orange fish passes."),
            gradient(
                "spiral", "003973 e5e5be 00b4db", 0.02, "deepsea", "Whirlpool, taking its time."
            ),
            gradient("circular", "f953c6 b91d73 fdc830 f37335", 0.02, "candy", "Round and round."),
            gradient("spiral", "4776e6 8e54e9 ff0099 f9d423", 0.02, "candy", "A slow pinwheel."),
            gradient("square", "a8ff78 78ffd6 f7797d fbd786", 0.03, "candy", "Boiled sweets."),
            gradient("radial", "ee9ca7 ffdde1 b24592 f15f79", 0.06, "candy", "Strawberry, mostly."),
        ),
    ),
    Topic(
        *("mirrors", "Mirrors", ("ivy", "jonas", "kira")),
        *(174.61, (0, 4, 7, 11), 0.3),
        (
            mirrors(2, 2.0, "inferno", "masks", "Fire, folded twice."),
            mirrors(47, 2.4, "turbo", "masks", "Carnival mask."),
            mirrors(71, 1.4, "heat", "masks", "It looks back at you."),
            mirrors(88, 3.2, "fiery", "masks", "Dragon, probably."),
            mirrors(31, 1.6, "cool", "frost", "Ice on a window."),
            mirrors(95, 3.6, "blues", "frost", "One snowflake, enlarged."),
            mirrors(102, 2.8, "cividis", "frost", "Frozen reeds."),
            mirrors(117, 1.2, "solar", "frost", "Frost on stained glass."),
            mirrors(63, 1.8, "viridis", "gardens", "A garden from the air."),
            mirrors(124, 2.6, "green", "gardens", "Hedges cut by a mathematician."),
            mirrors(131, 4.2, "spectral", "gardens", "All flowers at once."),
            mirrors(140, 2.2, "helix", "gardens", "A carpet left outside."),
        ),
    ),
    Topic(
        *("clouds", "Clouds", ("bo", "lars", "tess")),
        *(110.0, (0, 7, 10, 14), 0.5),
        (
            clouds(4, 1.6, "plasma", "planets", "Sky of another planet."),
            clouds(33, 2.0, "magma", "planets", "Lava, at a safe distance."),
            clouds(61, 0.8, "heat", "planets", "The red spot, close by."),
            clouds(64, 3.4, "turbo", "planets", "A map of nowhere."),
            clouds(21, 1.2, "blues", "weather", "Nothing but weather."),
            clouds(72, 2.6, "cool", "weather", "Snow is on the way."),
            clouds(77, 0.9, "cividis", "weather", "Sandstorm at noon."),
            clouds(81, 1.9, "solar", "weather", "Northern lights, from inside."),
            clouds(58, 1.4, "spectral", "oil", "Oil on a puddle."),
            clouds(86, 2.8, "helix", "oil", "The inside of a shell."),
            clouds(91, 1.0, "green", "oil", "Olive oil, very large."),
            clouds(97, 2.2, "fiery", "oil", "Molten glass."),
        ),
    ),
    Topic(
        *("rings", "Rings", ("uma", "vik", "wren")),
        *(164.81, (0, 3, 7, 12), 0.4),
        (
            rings("60 107 0 0", -9, "magma", "sonar", "Look at the middle."),
            rings("40 71 0 0", -6, "cool", "sonar", "Slow sonar."),
            rings("26 46 60 -90", 5, "green", "sonar", "Something in the corner."),
            rings("50 89 -70 110", -8, "cividis", "sonar", "An echo from below."),
            rings("70 124 0 0", 7, "turbo", "targets", "Now the other way."),
            rings("90 160 0 0", 10, "plasma", "targets", "Too many rings? Never."),
            rings("120 30 0 0", -7, "heat", "targets", "Squeezed from both sides."),
            rings("16 28 0 0", 6, "spectral", "targets", "Few, but proud."),
            rings("70 -124 0 0", 8, "viridis", "saddles", "Rings turned inside out."),
            rings("-40 71 40 0", -6, "inferno", "saddles", "A saddle for nobody."),
            rings("24 -43 -50 60", 5, "helix", "saddles", "Four ways out."),
            rings("-100 40 0 80", 9, "blues", "saddles", "Wind over tall grass."),
        ),
    ),
    Topic(
        *("waves", "Waves", ("xena", "yuri", "zoe")),
        *(130.81, (0, 4, 7, 11), 0.5),
        (
            waves(
                "128+62*sin((X+16*sin(Y/12+T*2))/8+T*3)+60*sin(Y/17-T*2)",
                *("cool", "swell", "Slow swell."),
            ),
            waves(
                "128+120*sin(Y/9+3*sin(X/22+T)-T*3)", "plasma", "swell", "Evening tide, from above."
            ),
            waves(
                "128+120*sin(Y/5+2*sin(X/9-T)-T*2)", "blues", "swell", "Ripples in the shallows."
            ),
            waves(
                "128+120*sin((X+Y)/13+2*sin(Y/20+T)-T*2)", "cividis", "swell", "Dunes on the move."
            ),
            waves(
                "128+120*sin(hypot(X-36,Y-64)/5-T*5)*exp(-hypot(X-36,Y-64)/70)",
                *("viridis", "ponds", "One drop, many rings."),
            ),
            waves(
                "128+60*sin(hypot(X-10,Y-20)/5-T*4)+60*sin(hypot(X-62,Y-100)/5-T*4)",
                *("turbo", "ponds", "Two stones, one pond."),
            ),
            waves(
                "128+60*sin(hypot(X-36,Y+10)/4-T*4)+60*sin(hypot(X-36,Y-138)/4-T*4)",
                *("green", "ponds", "From both banks at once."),
            ),
            waves(
                "128+120*sin(hypot(X-72,Y-64)/8-T*3)", "magma", "ponds", "A stone thrown offstage."
            ),
            waves(
                "128+60*sin(X/4+T*2)+60*sin(Y/6-T*2)",
                *("spectral", "weaves", "Two waves cross."),
            ),
            waves(
                "128+120*sin(X/7+2*sin(Y/7+T))*sin(Y/9-T)", "heat", "weaves", "Woven by the wind."
            ),
            waves(
                "128+60*sin((X-Y)/6+T*2)+60*sin((X+Y)/6-T*2)",
                *("helix", "weaves", "A net that swims."),
            ),
            waves(
                "128+120*sin(atan2(Y-64,X-36)*5+hypot(X-36,Y-64)/9-T*3)",
                *("fiery", "weaves", "Somebody pulled the plug."),
            ),
        ),
    ),
    Topic(
        *("geometry", "Sierpinski", ("arno", "bela", "cleo")),
        *(233.08, (0, 2, 7, 9), 0.25),
        (
            sierpinski("triangle", 6, "216x384", "inferno", "trees", "Triangles all the way."),
            sierpinski("triangle", 23, "216x384", "cool", "trees", "The same triangle in neon."),
            sierpinski("triangle", 31, "108x192", "green", "trees", "Fir trees, nearer."),
            sierpinski("triangle", 38, "324x576", "heat", "trees", "A forest of them."),
            sierpinski("carpet", 9, "216x384", "plasma", "carpets", "A carpet made of holes."),
            sierpinski("carpet", 27, "216x384", "viridis", "carpets", "Windows at night."),
            sierpinski("carpet", 45, "108x192", "magma", "carpets", "Mind the gaps."),
            sierpinski("carpet", 53, "324x576", "blues", "carpets", "Harbour lights."),
            sierpinski("triangle", 62, "72x128", "spectral", "closeups", "One corner, very close."),
            sierpinski("carpet", 68, "72x128", "turbo", "closeups", "Four windows, all lit."),
            sierpinski("triangle", 74, "144x256", "helix", "closeups", "Halfway to the corner."),
            sierpinski("carpet", 79, "144x256", "fiery", "closeups", "Bricks with gaps in them."),
        ),
    ),
    Topic(
        *("fractals", "Mandelbrot", ("ana", "dina", "egon")),
        *(196.0, (0, 7, 12, 16), 0.25),
        (
            mandelbrot("-0.743644 -0.131826", "1.6 0.004", 40, "spirals", "The seahorse valley."),
            mandelbrot("-0.7453 0.1127", "0.3 0.004", 190, "spirals", "Twin spirals."),
            mandelbrot(
                "-0.761574 -0.0847596", "0.2 0.006", 100, "spirals", "Deeper into the curl."
            ),
            mandelbrot("-0.1002 0.8383", "0.5 0.01", 280, "spirals", "Three arms and counting."),
            mandelbrot("-1.25066 0.02012", "1.2 0.006", 150, "coasts", "The further in, the more."),
            mandelbrot("0.275 0.0065", "1.0 0.008", 300, "coasts", "Elephants, if you squint."),
            mandelbrot("-0.5 0.56", "0.8 0.05", 20, "coasts", "Low tide."),
            mandelbrot("0.36 0.1", "0.6 0.02", 240, "coasts", "A coast without end."),
            mandelbrot("-0.170337 -1.06506", "1.6 0.006", 230, "copies", "A tiny copy at the top."),
            mandelbrot("-1.7688 -0.0017", "0.6 0.02", 330, "copies", "One more, on the antenna."),
            mandelbrot("-0.1592 -1.0317", "0.4 0.03", 70, "copies", "Found it again."),
            mandelbrot("-1.4803 0.0", "0.5 0.03", 260, "copies", "A whole row of them."),
        ),
    ),
)
