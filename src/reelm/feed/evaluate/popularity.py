"""Baseline: what was watched long most often of late, the same for everybody."""

import math
from collections.abc import Iterable, Sequence

from reelm.feed.evaluate.rates import POPULAR_HALF_LIFE_MS, WATCHES, Catalogue, LongViews, Rates
from reelm.feed.ranker import Prediction, VideoFacts
from reelm.feed.signals import Kind, Signal


class DecayedPopularity:
    """Rank by the exponentially decayed count of long views; expect each video's own averages."""

    def __init__(self, half_life_ms: int = POPULAR_HALF_LIFE_MS) -> None:
        self._catalogue = Catalogue()
        self._long_views = LongViews(half_life_ms)
        self._rates = Rates()

    def add_videos(self, facts: Iterable[VideoFacts]) -> None:
        """Take videos up, new or changed."""
        self._catalogue.add(facts)
        self._long_views.fit(len(self._catalogue))

    def observe(self, batch: Sequence[Signal]) -> None:
        """Count long views, and learn rates and watch times."""
        for signal in batch:
            if signal.kind == Kind.WATCH:
                self._rates.learn(signal)
            if signal.kind in WATCHES and signal.long_view:
                self._long_views.add(self._catalogue.place(signal.video_id), signal.at_ms)

    def predict(self, viewer_id: int, video_id: int, *, at_ms: int, surface: int) -> Prediction:  # noqa: ARG002 - alike for all
        """Return the video's smoothed share of long views and its mean watch time."""
        share, watch_ms = self._rates.of_video(video_id)
        return Prediction(share, watch_ms, *(math.nan,) * 4)

    def rank_of(
        self,
        viewer_id: int,  # noqa: ARG002
        video_id: int,
        *,
        at_ms: int,  # noqa: ARG002
        surface: int,  # noqa: ARG002
        without: frozenset[int],
    ) -> int:
        """Return the video's place by long views."""
        return self._catalogue.rank(self._long_views.counts, video_id, without)
