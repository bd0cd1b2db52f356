"""What is evaluated: the part of the ranker that predicts and learns."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from reelm.feed.ranker import Prediction, VideoFacts
from reelm.feed.signals import Signal


class Serving(Protocol):
    """Something that learns from signals as they come and predicts the next view.

    The class that serves viewers is one; the two baselines beside it are the others.
    """

    def add_videos(self, facts: Iterable[VideoFacts]) -> None:
        """Take videos up, new or changed."""

    def observe(self, batch: Sequence[Signal]) -> None:
        """Learn from signals, in their order."""

    def predict(self, viewer_id: int, video_id: int, *, at_ms: int, surface: int) -> Prediction:
        """Return what is expected of one impression, learning nothing."""

    def rank_of(
        self, viewer_id: int, video_id: int, *, at_ms: int, surface: int, without: frozenset[int]
    ) -> int:
        """Return the place of a video among all but those left out, 1 for the best."""
