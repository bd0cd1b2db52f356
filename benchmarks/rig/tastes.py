"""Simulated viewers with hidden tastes, and a stream of new videos: what contenders are tried on.

It knows nothing of the ranker (a test reads the imports), and whoever recommends knows nothing of
it but what a product would: a video's facts (`Clip`), and what a viewer did (`Outcome`).

What is assumed
    Topics. TOPICS topics in FAMILIES families. A video is about one topic, 4 in 10 about a second
    one as well; its creator's own two topics in 8 of 10 cases. Each topic has 3 hashtags, of which
    a video bears one or two; 15 % bear none, 5 % a wrong one, half bear "#foryou".
    Creators. Activity is Pareto(1.2); each has a style (STYLES numbers) and a level of quality. A
    video's quality is the creator's level (sd 0.4) and its own luck (sd 0.5). Some creators join
    while the simulation runs.
    Viewers. Three favourite topics, four disliked ones, a liking for the favourites' families, a
    liking for styles, an attention span (log-normal), a mood and a whim for some topics in each
    session. Tastes walk a little from session to session; two fifths of the first viewers
    suddenly get other favourites in the middle of their exposures, mostly within a session. Two
    fifths of all come while it runs.
    Past. Before the start, earlier viewers saw the first videos by lot; all contenders are told.
    Interest of a viewer in a video at an hour is taste x topics + style x style + quality + the
    topics' trend of the hour (AR(1), same for all) - 0.1 log(1 + age in days) - boredom with
    topics seen lately; -1 where it was seen before.
    Watch time. log of the seconds that one would watch an endless video of that interest is
    normal with mean log(attention) + interest + mood and sd NOISE; cut off at the video's
    duration. Who reaches the end starts a loop with probability 0.15 + 0.1 interest, again and
    again. Likes, shares, follows, profile visits and comments have logistic chances in interest
    once half was watched, "not interested" in the lack of it after a skip under 2 s.

Constants are round, and such that random videos get about the rates of a real log (KuaiRand, doi
10.1145/3511808.3557624: 31 % long views, 32 % skips, 1.7 % likes, 4.5 s median watch; a quarter of
the variance of log watch time lies between viewers, a fifth between videos).

What it cannot say
    How large a gain is with real people: shares of taste, quality, trend and noise are chosen, and
    the ratio between contenders moves with them. Nobody leaves or stays longer because of the
    feed: each viewer looks at a fixed number of videos, so there is no reward for habit and no
    harm from it. Viewers do not influence each other. There is one language, and no spam. Ratios
    compare contenders inside this world, and say whether one adapts at all and how fast; with
    `moving=False` no taste drifts, switches or has whims, and what is left is learning from
    nothing.

All contenders meet the same world: visits, tastes, trends and new videos are fixed by the seed
alone, and the chance in an outcome by seed, viewer and number of the exposure.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOPICS, FAMILIES, STYLES = 40, 8, 6
START_MS = 1_767_225_600_000  # 2026-01-01; any moment would do
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PAST_MS = 8 * DAY_MS
SECONDS_A_VIDEO = 15
NOISE = 1.0
SKIP_S = 2.0
# Chance of an act is logistic(base + slope x interest).
ACTS = {
    "liked": (-4.2, 1.2),
    "shared": (-6.5, 1.2),
    "followed": (-6.3, 1.2),
    "visited": (-4.2, 0.8),
    "commented": (-5.5, 1.0),
    "refused": (-5.5, -1.5),
}
# Sessions by hour of the day: few at night, most in the evening.
BY_HOUR = np.array([2, 1, 1, 1, 1, 1, 2, 4, 5, 4, 4, 4, 6, 5, 4, 4, 5, 6, 8, 9, 10, 9, 7, 4])


@dataclass(frozen=True)
class Size:
    """How large the world is, and whether tastes move."""

    viewers: int = 100
    days: int = 3
    sessions_per_day: int = 2
    videos_per_session: int = 30
    page: int = 5
    first_videos: int = 2_500
    new_per_day: int = 40
    creators: int = 250
    past_viewers: int = 250
    past_videos: int = 60
    moving: bool = True

    @property
    def exposures(self) -> int:
        """Videos that one viewer looks at in a day."""
        return self.sessions_per_day * self.videos_per_session

    @property
    def people(self) -> int:
        """Viewers, those of the past included, whose numbers come after."""
        return self.viewers + self.past_viewers


class Clip(NamedTuple):
    """What a video says about itself."""

    video: int
    creator: int
    tags: tuple[str, ...]
    sound: int
    duration_ms: int
    published_ms: int


class Outcome(NamedTuple):
    """What a viewer did with one video."""

    video: int
    watched_ms: int
    duration_ms: int
    loops: int
    liked: bool
    shared: bool
    followed: bool
    visited: bool
    commented: bool
    refused: bool


class Visit(NamedTuple):
    """One page asked for."""

    at_ms: int
    viewer: int
    session: int


class World:
    """Creators, videos, viewers and visits of one seed."""

    def __init__(self, seed: int, size: Size) -> None:
        self.seed, self.size = seed, size
        rng = np.random.default_rng(seed)
        self._make_creators(rng)
        self._make_videos(rng)
        self._make_tags(rng)
        self._make_viewers(rng)
        self._make_visits(rng)
        self._make_tastes(rng)
        hours = 24 * size.days + 1
        self.trend = np.zeros((hours, TOPICS))
        for hour in range(1, hours):
            step = rng.normal(0, 0.3 * math.sqrt(1 - 0.95**2), TOPICS)
            self.trend[hour] = 0.95 * self.trend[hour - 1] + step

    def clip(self, video: int) -> Clip:
        """Return a video's facts."""
        return Clip(
            video,
            int(self.creator[video]),
            self.tags[video],
            int(self.sound[video]),
            int(self.duration_ms[video]),
            int(self.published_ms[video]),
        )

    def past(self) -> list[tuple[Visit, list[Outcome]]]:
        """Return what earlier viewers did with videos drawn by lot, in the days before."""
        audience = Audience(self)
        rng = np.random.default_rng((self.seed, 3))
        told = []
        for visit in self.earlier:
            drawn = rng.choice(self.size.first_videos, self.size.past_videos, replace=False)
            told.append((visit, [audience.watch(visit, int(video)) for video in drawn]))
        return told

    def is_switched(self, viewer: int, exposure: int) -> bool:
        """Say whether the viewer's sudden change has happened by this exposure."""
        return 0 <= int(self.switch_at[viewer]) <= exposure

    def favourites(self, viewer: int, exposure: int) -> Ints:
        """Return the three topics that the viewer likes most at this exposure."""
        liked: Ints = self.likes[int(self.is_switched(viewer, exposure)), viewer]
        return liked

    def interest(
        self, viewer: int, session: int, exposure: int, videos: Ints, at_ms: int
    ) -> Floats:
        """Return how much a viewer is interested in videos, boredom apart."""
        taste = self.taste[int(self.is_switched(viewer, exposure)), viewer, session]
        hour = min(max(at_ms - START_MS, 0) // HOUR_MS, len(self.trend) - 1)
        age = np.log1p(np.maximum(at_ms - self.published_ms[videos], 0) / DAY_MS)
        style = self.style[self.creator[videos]] @ self.style_liked[viewer]
        topics = self.mix[videos] @ (taste + self.trend[hour])
        value: Floats = topics + style + self.quality[videos] - 0.1 * age
        return value

    def _make_creators(self, rng: np.random.Generator) -> None:
        size = self.size
        late = max(1, size.creators // 8) * size.days
        count = size.creators + late
        joined = np.sort(rng.integers(0, size.days * DAY_MS, late))
        self.joined_ms = np.concatenate([np.full(size.creators, -60 * DAY_MS), joined]) + START_MS
        self.activity = rng.pareto(1.2, count) + 0.2
        self.level = rng.normal(0, 0.4, count)
        self.style = rng.normal(0, 1, (count, STYLES)) / math.sqrt(STYLES)
        self.own_topics = rng.integers(0, TOPICS, (count, 2))

    def _make_videos(self, rng: np.random.Generator) -> None:
        size = self.size
        fresh = size.new_per_day * size.days
        count = size.first_videos + fresh
        published = np.concatenate(
            [
                -np.sort(rng.integers(PAST_MS, 60 * DAY_MS, size.first_videos))[::-1],
                np.sort(rng.integers(0, size.days * DAY_MS, fresh)),
            ]
        )
        self.published_ms: Ints = published + START_MS
        self.creator: Ints = np.zeros(count, np.int64)
        for video in range(count):
            here = int(np.searchsorted(self.joined_ms, self.published_ms[video], "right"))
            first = 0
            if here > size.creators and rng.random() < 0.3:
                first = size.creators  # who has just joined posts more than their number says
            weights = self.activity[first:here]
            self.creator[video] = first + rng.choice(here - first, p=weights / weights.sum())
        self.quality: Floats = self.level[self.creator] + rng.normal(0, 0.5, count)
        seconds = np.clip(rng.lognormal(math.log(20), 0.6, count), 5, 90)
        self.duration_ms: Ints = (seconds * 1000).astype(np.int64)
        self.sound: Ints = np.minimum(rng.zipf(1.3, count), 5_000)

    def _make_tags(self, rng: np.random.Generator) -> None:
        count = len(self.creator)
        own = self.own_topics[self.creator, rng.integers(0, 2, count)]
        anything = rng.integers(0, TOPICS, count)
        self.topic: Ints = np.where(rng.random(count) < 0.8, own, anything)
        second = rng.integers(0, TOPICS, count)
        share = np.where(rng.random(count) < 0.4, rng.uniform(0.2, 0.5, count), 0.0)
        self.mix: Floats = np.zeros((count, TOPICS))
        np.add.at(self.mix, (np.arange(count), self.topic), 1 - share)
        np.add.at(self.mix, (np.arange(count), second), share)
        self.tags: list[tuple[str, ...]] = []
        for video in range(count):
            about = [self.topic[video]] * int(rng.integers(1, 3))
            about += [second[video]] if share[video] > 0.3 else []
            if rng.random() < 0.15:
                about = []
            if rng.random() < 0.05:
                about = [rng.integers(0, TOPICS)]
            names = [f"topic{topic}_{rng.integers(0, 3)}" for topic in about]
            names += ["foryou"] if rng.random() < 0.5 else []
            self.tags.append(tuple(dict.fromkeys(rng.permutation(names).tolist())))

    def _make_viewers(self, rng: np.random.Generator) -> None:
        size = self.size
        count = size.people
        late = rng.random(count) < 0.4
        came = rng.integers(0, max(1, size.days - 1), count)
        self.first_day: Ints = (
            np.where(late, 1 + came, 0) if size.days > 1 else np.zeros(count, int)
        )
        self.first_day = np.minimum(self.first_day, size.days - 1)
        self.attention: Floats = rng.normal(math.log(4.5), 0.7, count)
        self.style_liked: Floats = rng.normal(0, 0.5, (count, STYLES))
        exposures = (size.days - self.first_day) * size.exposures
        switches = (rng.random(count) < 0.4) & ~late & size.moving & (exposures >= 80)
        middle = (exposures * rng.uniform(0.4, 0.6, count)).astype(np.int64)
        self.switch_at: Ints = np.where(switches, middle, -1)

    def _make_visits(self, rng: np.random.Generator) -> None:
        size = self.size
        visits = []
        for viewer in range(size.viewers):
            session = 0
            for day in range(int(self.first_day[viewer]), size.days):
                chances = BY_HOUR / BY_HOUR.sum()
                hours = rng.choice(24, size.sessions_per_day, replace=False, p=chances)
                for hour in sorted(hours):
                    begin = day * DAY_MS + int(hour) * HOUR_MS + int(rng.integers(0, 40 * 60_000))
                    for page in range(size.videos_per_session // size.page):
                        at_ms = START_MS + begin + page * size.page * SECONDS_A_VIDEO * 1000
                        visits.append(Visit(at_ms, viewer, session))
                    session += 1
        self.visits = sorted(visits)
        earlier = rng.integers(0, PAST_MS, size.past_viewers) - PAST_MS + START_MS
        self.earlier = sorted(
            Visit(int(at_ms), size.viewers + number, 0) for number, at_ms in enumerate(earlier)
        )

    def _make_tastes(self, rng: np.random.Generator) -> None:
        """Make taste[before or after the switch, viewer, session, topic], and the favourites."""
        size = self.size
        sessions = size.days * size.sessions_per_day
        shape = (2, size.people, sessions, TOPICS)
        self.taste: Floats = np.zeros(shape)
        self.likes: Ints = np.zeros((2, size.people, 3), np.int64)
        self.mood: Floats = rng.normal(0, 0.3, (size.people, sessions))
        for viewer in range(size.people):
            for side in (0, 1):
                order = rng.permutation(TOPICS)
                base = rng.normal(-0.2, 0.3, TOPICS)
                for topic, liking in zip(order[:3], (1.3, 1.1, 0.9), strict=True):
                    base[topic % FAMILIES :: FAMILIES] += 0.3
                    base[topic] = liking
                base[order[3:7]] = -0.9
                self.likes[side, viewer] = order[:3]
                step = 0.08 if size.moving else 0.0
                walk = np.cumsum(rng.normal(0, step, (sessions, TOPICS)), axis=0)
                self.taste[side, viewer] = base + walk
        if size.moving:
            whims = rng.normal(0, 0.25, shape[1:])
            self.taste += whims


@dataclass
class Audience:
    """The viewers of one run: what each has been shown so far, and how they act on it."""

    world: World
    exposures: Ints = field(init=False)
    boredom: Floats = field(init=False)
    seen: list[set[int]] = field(init=False)

    def __post_init__(self) -> None:
        viewers = self.world.size.people
        self.exposures = np.zeros(viewers, np.int64)
        self.boredom = np.zeros((viewers, TOPICS))
        self.seen = [set() for _ in range(viewers)]

    def interest(self, visit: Visit, videos: Ints) -> Floats:
        """Return a viewer's interest in videos now, boredom and repeats included."""
        viewer, exposure = visit.viewer, int(self.exposures[visit.viewer])
        value = self.world.interest(viewer, visit.session, exposure, videos, visit.at_ms)
        again = np.array([video in self.seen[viewer] for video in videos.tolist()], float)
        tired: Floats = value - 0.1 * (self.world.mix[videos] @ self.boredom[viewer]) - again
        return tired

    def expected_s(self, visit: Visit, videos: Ints) -> Floats:
        """Return the mean watch time of videos, loops apart: for a contender that knows all."""
        middle = self._log_s(visit, self.interest(visit, videos))
        end = np.log(self.world.duration_ms[videos] / 1000)
        cut_short = np.exp(middle + NOISE**2 / 2) * _normal((end - middle - NOISE**2) / NOISE)
        whole: Floats = np.exp(end) * (1 - _normal((end - middle) / NOISE))
        return cut_short + whole

    def watch(self, visit: Visit, video: int) -> Outcome:
        """Show a viewer the next video and return what they do."""
        viewer, world = visit.viewer, self.world
        number = int(self.exposures[viewer])
        rng = np.random.default_rng((world.seed, viewer, number))
        normal, chance = rng.normal(), rng.random(6 + 6)
        interest = float(self.interest(visit, np.array([video]))[0])
        duration_s = int(world.duration_ms[video]) / 1000
        seconds = math.exp(float(self._log_s(visit, np.array(interest))) + NOISE * normal)
        loops = 0
        if seconds >= duration_s:
            again = min(max(0.15 + 0.1 * interest, 0.02), 0.6)
            loops = next((n for n, luck in enumerate(chance[6:]) if luck >= again), 6)
        watched_s = min(seconds, duration_s) + loops * duration_s
        acts = self._acts(interest, watched_s, duration_s, chance)
        self.exposures[viewer] += 1
        self.seen[viewer].add(video)
        self.boredom[viewer] = 0.85 * self.boredom[viewer] + world.mix[video]
        milliseconds = int(world.duration_ms[video])
        return Outcome(video, int(watched_s * 1000), milliseconds, loops, **acts)

    def _log_s(self, visit: Visit, interest: Floats) -> Floats:
        mood = self.world.mood[visit.viewer, visit.session]
        value: Floats = self.world.attention[visit.viewer] + mood + interest
        return value

    @staticmethod
    def _acts(
        interest: float, watched_s: float, duration_s: float, chance: Floats
    ) -> dict[str, bool]:
        acts = {}
        for number, (name, (base, slope)) in enumerate(ACTS.items()):
            open_to_it = watched_s < SKIP_S if name == "refused" else watched_s >= duration_s / 2
            likely = 1 / (1 + math.exp(-(base + slope * interest)))
            acts[name] = bool(open_to_it and chance[number] < likely)
        return acts


def _normal(x: Floats) -> Floats:
    """Return the normal distribution function, by its logistic likeness (error below 0.01)."""
    value: Floats = 1 / (1 + np.exp(-1.702 * np.clip(x, -20, 20)))
    return value
