"""What both baselines count with: videos by place, decaying weights, smoothed averages."""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker import VideoFacts
from reelm.feed.signals import Kind, Signal

# Half-lives of popularity for ranking, and of the averages behind probabilities and watch times.
# Chosen from 1 h to 8 days on KuaiRand's events before 2022-04-29, of which the last two days were
# scored; the days that docs/evaluate.md scores were not looked at.
POPULAR_HALF_LIFE_MS = 6 * 3_600_000
RATES_HALF_LIFE_MS = 4 * 86_400_000
# How many views of the average kind each average begins with.
PRIOR_VIEWS = 10.0
# As play time is capped where it is scored.
CAP_MS = 300_000

Floats = npt.NDArray[np.float64]
# A watch of a history counts as one, but no average learns of it: where and how long is not told.
WATCHES = (Kind.WATCH, Kind.PAST_WATCH)


class Catalogue:
    """The videos in the order in which they came."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, facts: Iterable[VideoFacts]) -> None:
        """Give each new video the next place."""
        for video in facts:
            self._places.setdefault(video.video_id, len(self._places))

    def place(self, video_id: int) -> int:
        """Return a video's place from 0."""
        return self._places[video_id]

    def rank(self, scores: Floats, video_id: int, without: frozenset[int]) -> int:
        """Return a video's place by score from 1; it comes after all others of equal score."""
        own = scores[self._places[video_id]]
        left_out = (self._places.get(other) for other in without if other != video_id)
        gone = sum(1 for place in left_out if place is not None and scores[place] >= own)
        return int((scores >= own).sum()) - gone


class Decay:
    """Weights that grow with time instead of counts that shrink, so that an event touches one.

    See Cormode and others, Forward Decay, ICDE 2009.
    """

    # Well below the largest double, 2 ** 1024.
    _DOUBLINGS = 512

    def __init__(self, half_life_ms: int) -> None:
        self._half_life_ms = half_life_ms
        self._zero_ms: int | None = None

    def weigh(self, at_ms: int) -> tuple[float, float]:
        """Return an event's weight, and what all earlier sums have to be multiplied by."""
        if self._zero_ms is None:
            self._zero_ms = at_ms
        doublings = (at_ms - self._zero_ms) / self._half_life_ms
        if doublings <= self._DOUBLINGS:
            return 2.0**doublings, 1.0
        self._zero_ms = at_ms
        return 1.0, 2.0 ** -min(doublings, 1074)


class LongViews:
    """The decayed count of each video's long views."""

    def __init__(self, half_life_ms: int) -> None:
        self.counts = np.zeros(0)
        self._decay = Decay(half_life_ms)

    def fit(self, size: int) -> None:
        """Make room for more videos."""
        self.counts = np.concatenate((self.counts, np.zeros(size - len(self.counts))))

    def add(self, place: int, at_ms: int) -> None:
        """Count one."""
        weight, shrink = self._decay.weigh(at_ms)
        if shrink != 1:
            self.counts *= shrink
        self.counts[place] += weight


class Rates:
    """The share of long views and the mean watch time of each video and each surface."""

    def __init__(self, half_life_ms: int = RATES_HALF_LIFE_MS) -> None:
        self._half_life_ms = half_life_ms
        self._all = [0.0, 0.0, 0.0, 0.0]
        self._videos: dict[int, list[float]] = {}
        self._surfaces: dict[int, list[float]] = {}

    def learn(self, watch: Signal) -> None:
        """Count one watch."""
        for sums in (
            self._all,
            self._videos.setdefault(watch.video_id, [0.0] * 4),
            self._surfaces.setdefault(watch.surface, [0.0] * 4),
        ):
            count, long_views, watched_ms, last_ms = sums
            kept = 0.5 ** ((watch.at_ms - last_ms) / self._half_life_ms) if count else 0.0
            sums[:] = (
                count * kept + 1,
                long_views * kept + watch.long_view,
                watched_ms * kept + min(watch.watched_ms, CAP_MS),
                watch.at_ms,
            )

    def of_all(self) -> tuple[float, float]:
        """Return share of long views and mean watch time in ms of all views."""
        return _averages(self._all, (0.5, 10_000.0))

    def of_video(self, video_id: int) -> tuple[float, float]:
        """Return those of one video, drawn to those of all while it has few views."""
        return _averages(self._videos.get(video_id), self.of_all())

    def of_surface(self, surface: int) -> tuple[float, float]:
        """Return those of one surface."""
        return _averages(self._surfaces.get(surface), self.of_all())


def _averages(sums: list[float] | None, prior: tuple[float, float]) -> tuple[float, float]:
    if sums is None:
        return prior
    views = sums[0] + PRIOR_VIEWS
    return (
        (sums[1] + PRIOR_VIEWS * prior[0]) / views,
        (sums[2] + PRIOR_VIEWS * prior[1]) / views,
    )


def logit(share: float) -> float:
    """Return the log odds of a share between 0 and 1."""
    return math.log(share / (1 - share))
