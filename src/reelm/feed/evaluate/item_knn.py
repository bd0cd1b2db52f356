"""Baseline: videos that those who watched the same as the viewer watched long too."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from reelm.feed.evaluate.rates import (
    POPULAR_HALF_LIFE_MS,
    WATCHES,
    Catalogue,
    Decay,
    Floats,
    LongViews,
    Rates,
    logit,
)
from reelm.feed.ranker import Prediction, VideoFacts
from reelm.feed.signals import Kind, Signal

# How many of a viewer's last long views tell taste, and how many of a video's last long-viewers
# count: both bound memory and time.
OWN = 20
OTHERS = 200
# Each long view of the viewer counts this much of the next newer one.
FADE = 0.9
# The next four were chosen as the half-lives in rates.py were. A common long view loses half its
# weight in this time. The count is divided by powers of both videos' own counts: halves would make
# the cosine, but that favours videos hardly anybody watches.
HALF_LIFE_MS = 24 * 3_600_000
OWN_POWER, OTHER_POWER = 0.5, 0.3
# How much the most popular video gains, against the nearest one's 1.
POPULAR_SHARE = 0.3

_NO_VIEWS = 1e-300


class ItemKnn:
    """Rank by decayed counts of long views in common with the viewer's own, and by popularity.

    Streaming item-kNN (nearness as in Sarwar and others, WWW 2001). Common long views are counted
    at the moment of asking from the last ones of everybody, so it is never stale and has no table.
    """

    def __init__(self) -> None:
        self._catalogue = Catalogue()
        self._decay = Decay(HALF_LIFE_MS)
        self._long_views = np.zeros(0)
        self._popular = LongViews(POPULAR_HALF_LIFE_MS)
        self._viewers: dict[int, int] = {}
        # The last long views of each viewer with weights, and the last long-viewers of each video,
        # as rings; -1 is empty.
        self._own = np.full((1024, OWN), -1, np.int32)
        self._weights = np.zeros((1024, OWN))
        self._own_count = np.zeros(1024, np.int64)
        self._others: dict[int, _Ring] = {}
        self._rates = Rates()

    def add_videos(self, facts: Iterable[VideoFacts]) -> None:
        """Take videos up, new or changed."""
        self._catalogue.add(facts)
        more = len(self._catalogue) - len(self._long_views)
        self._long_views = np.concatenate((self._long_views, np.zeros(more)))
        self._popular.fit(len(self._catalogue))

    def observe(self, batch: Sequence[Signal]) -> None:
        """Remember long views, and learn rates and watch times."""
        for signal in batch:
            if signal.kind == Kind.WATCH:
                self._rates.learn(signal)
            if signal.kind in WATCHES and signal.long_view:
                self._remember(signal)

    def predict(self, viewer_id: int, video_id: int, *, at_ms: int, surface: int) -> Prediction:  # noqa: ARG002 - alike for all
        """Return what the video's rate and the surface's make together, as odds multiply."""
        share, watch_ms = self._rates.of_video(video_id)
        surface_share, surface_ms = self._rates.of_surface(surface)
        all_share, all_ms = self._rates.of_all()
        odds = logit(share) + logit(surface_share) - logit(all_share)
        expected_ms = watch_ms * surface_ms / all_ms if all_ms else watch_ms
        return Prediction(1 / (1 + math.exp(-odds)), expected_ms, *(math.nan,) * 4)

    def rank_of(
        self,
        viewer_id: int,
        video_id: int,
        *,
        at_ms: int,  # noqa: ARG002
        surface: int,  # noqa: ARG002
        without: frozenset[int],
    ) -> int:
        """Return the video's place by nearness to what the viewer watched long."""
        return self._catalogue.rank(self._near(viewer_id), video_id, without)

    def _near(self, viewer_id: int) -> Floats:
        near = np.zeros(len(self._catalogue))
        last = self._last(viewer_id)
        if last:
            rings = [self._others[place] for place in last]
            rows = np.concatenate([ring.rows for ring in rings])
            factors = [FADE**age / ring.count**OWN_POWER for age, ring in enumerate(rings)]
            factor = np.repeat(factors, [len(ring.rows) for ring in rings])
            weights = self._weights[rows] * factor[:, np.newaxis]
            common = np.bincount(self._own[rows].ravel() + 1, weights.ravel(), len(near) + 1)
            near = common[1:] / np.maximum(self._long_views, _NO_VIEWS) ** OTHER_POWER
            near /= max(near.max(initial=0), _NO_VIEWS)
        popular = self._popular.counts
        near += popular * (POPULAR_SHARE / max(popular.max(initial=0), _NO_VIEWS))
        return near

    def _last(self, viewer_id: int) -> list[int]:
        row = self._viewers.get(viewer_id)
        if row is None:
            return []
        count = int(self._own_count[row])
        newest_first = np.arange(count - 1, max(count - OWN, 0) - 1, -1) % OWN
        places: list[int] = self._own[row, newest_first].tolist()
        return places

    def _remember(self, watch: Signal) -> None:
        place = self._catalogue.place(watch.video_id)
        row = self._row(watch.viewer_id)
        weight, shrink = self._decay.weigh(watch.at_ms)
        if shrink != 1:
            self._long_views *= shrink
            self._weights *= shrink
        self._long_views[place] += weight
        self._popular.add(place, watch.at_ms)
        ring = self._others.get(place)
        if ring is None:
            ring = self._others[place] = _Ring()
        ring.add(row)
        at = self._own_count[row] % OWN
        self._own[row, at] = place
        self._weights[row, at] = weight
        self._own_count[row] += 1

    def _row(self, viewer_id: int) -> int:
        row = self._viewers.setdefault(viewer_id, len(self._viewers))
        if row == len(self._own):
            self._own = np.concatenate((self._own, np.full_like(self._own, -1)))
            self._weights = np.concatenate((self._weights, np.zeros_like(self._weights)))
            self._own_count = np.concatenate((self._own_count, np.zeros_like(self._own_count)))
        return row


class _Ring:
    """The last long-viewers of one video, as rows, and how many there were in all."""

    def __init__(self) -> None:
        self._rows: npt.NDArray[np.int32] = np.zeros(4, np.int32)
        self.count = 0

    @property
    def rows(self) -> npt.NDArray[np.int32]:
        return self._rows[: self.count]

    def add(self, row: int) -> None:
        """Take one up in place of the oldest."""
        size = len(self._rows)
        if self.count == size < OTHERS:
            more = min(2 * size, OTHERS) - size
            self._rows = np.concatenate((self._rows, np.zeros(more, np.int32)))
            size += more
        self._rows[self.count % size] = row
        self.count += 1
