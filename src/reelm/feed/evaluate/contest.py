"""Several models that are asked the same and learn the same."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reelm.feed.evaluate.predictions import Row, Sink
from reelm.feed.evaluate.serving import Serving
from reelm.feed.evaluate.tally import Guesses, Outcomes
from reelm.feed.ranker import Prediction, VideoFacts
from reelm.feed.signals import Signal


class Contestant:
    """One model, what it said, and the seconds it took."""

    def __init__(self, model: Serving) -> None:
        self._model = model
        self.guesses = Guesses()
        self.seconds = 0.0

    def add_videos(self, facts: Sequence[VideoFacts]) -> None:
        """Let the model take videos up."""
        began = time.perf_counter()
        self._model.add_videos(facts)
        self.seconds += time.perf_counter() - began

    def observe(self, signals: Sequence[Signal]) -> None:
        """Let the model learn."""
        began = time.perf_counter()
        self._model.observe(signals)
        self.seconds += time.perf_counter() - began

    def guess(
        self,
        viewer_id: int,
        video_id: int,
        at_ms: int,
        surface: int,
        without: frozenset[int] | None,
    ) -> tuple[Prediction, int]:
        """Return what the model says of a view, and the video's rank unless `without` is None."""
        began = time.perf_counter()
        said = self._model.predict(viewer_id, video_id, at_ms=at_ms, surface=surface)
        rank = 0
        if without is not None:
            rank = self._model.rank_of(
                viewer_id, video_id, at_ms=at_ms, surface=surface, without=without
            )
        self.seconds += time.perf_counter() - began
        return said, rank


# What each model said of one view, in the order of the models, and the video's rank or 0.
Said = list[tuple[Prediction, int]]


class Outcome(NamedTuple):
    """What came of one view; the ids are those that the predictions file tells."""

    event: int
    user_id: int
    video_id: int
    time_ms: int
    play_time_ms: int
    long_view: bool


class Contest:
    """The models, the first of which is the one that serves, and what is known to all of them."""

    def __init__(self, models: Mapping[str, Serving], sink: Sink) -> None:
        self.contestants = {name: Contestant(model) for name, model in models.items()}
        self.outcomes = Outcomes()
        self.events = 0
        self.videos: dict[int, VideoFacts] = {}
        self._long_viewed: dict[int, set[int]] = {}
        self._sink = sink

    def add_videos(self, facts: Sequence[VideoFacts]) -> None:
        """Tell all models of videos, new or changed."""
        self.videos.update((video.video_id, video) for video in facts)
        for contestant in self.contestants.values():
            contestant.add_videos(facts)

    def known(self, video_id: int, duration_ms: int) -> VideoFacts:
        """Return what is known of a video that is shown; of which nothing was, is from then on."""
        video = self.videos.get(video_id)
        if video is None or (duration_ms and not video.duration_ms):
            video = (video or VideoFacts(video_id, 0))._replace(duration_ms=duration_ms)
            self.add_videos([video])
        return video

    def observe(self, signals: Sequence[Signal]) -> None:
        """Let all models learn."""
        for contestant in self.contestants.values():
            contestant.observe(signals)

    def note_long_view(self, viewer_id: int, video_id: int) -> None:
        """Leave the video out of what is ranked for the viewer from now on."""
        self._long_viewed.setdefault(viewer_id, set()).add(video_id)

    def ask(
        self, viewer_id: int, video_id: int, at_ms: int, surface: int, *, may_be_target: bool
    ) -> Said:
        """Return what the models say of a view to come.

        Args:
            viewer_id: who is going to watch.
            video_id: what.
            at_ms: when.
            surface: where.
            may_be_target: rank the video, unless the viewer has watched it long before.
        """
        seen = self._long_viewed.get(viewer_id, ())
        without = frozenset(seen) if may_be_target and video_id not in seen else None
        return [
            contestant.guess(viewer_id, video_id, at_ms, surface, without)
            for contestant in self.contestants.values()
        ]

    def settle(self, outcome: Outcome, said: Said) -> None:
        """Keep what was said and what came of it; only a long view has a rank."""
        ranks = [rank if outcome.long_view else 0 for _, rank in said]
        for contestant, (prediction, _), rank in zip(
            self.contestants.values(), said, ranks, strict=True
        ):
            contestant.guesses.add(prediction, rank)
        self.outcomes.add(
            outcome.time_ms, long_view=outcome.long_view, play_time_ms=outcome.play_time_ms
        )
        first = said[0][0]
        probability, watch_score = float(first.long_view), float(first.watch_ms)
        self._sink.write(Row(*outcome[:4], probability, watch_score, ranks[0] or None))
