"""The protocol: for each event in time order predict, then let the models learn from it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from reelm.feed.evaluate.log import Event, Log
from reelm.feed.evaluate.predictions import Row, Sink
from reelm.feed.evaluate.serving import Serving
from reelm.feed.evaluate.tally import Guesses, Outcomes
from reelm.feed.evaluate.viewing import Memories, facts_of, signals_of, signals_of_history
from reelm.feed.ranker import Prediction, VideoFacts
from reelm.feed.signals import SURFACES, Signal

# A history is learnt in batches, as the appender writes them; an event is a batch of its own.
HISTORY_VIEWS = 500


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


class Replay:
    """One pass of a log through several models, the first of which is the one that serves."""

    def __init__(self, models: Mapping[str, Serving], sink: Sink) -> None:
        self.contestants = {name: Contestant(model) for name, model in models.items()}
        self.outcomes = Outcomes()
        self.warmup_events = 0
        self._sink = sink
        self._videos: dict[int, VideoFacts] = {}
        self._long_viewed: dict[int, set[int]] = {}
        self._seq = 1

    def run(self, log: Log, score_from_ms: int) -> Iterator[int]:
        """Replay a log, yielding how many events are done now and then.

        Raises:
            Invalid: the log is malformed.
        """
        self._add_videos([facts_of(facts) for facts in log.videos()])
        events = log.events()
        first = next(events)
        yield from self._remember(log, first.time_ms)
        for index, event in enumerate(chain((first,), events)):
            self._see(index, event, is_scored=event.time_ms >= score_from_ms)
            if index % 256 == 0:
                yield index
        yield log.count

    def _remember(self, log: Log, until_ms: int) -> Iterator[int]:
        views = Memories(log.past(), until_ms)
        missing = views.video_ids() - self._videos.keys()
        self._add_videos([VideoFacts(video_id, 0) for video_id in sorted(missing)])
        for view in views:
            if view.is_long:
                self._long_viewed.setdefault(view.viewer_id, set()).add(view.video_id)
        batch: list[Signal] = []
        for number, signals in enumerate(signals_of_history(views, self._seq), 1):
            batch += signals
            if number % HISTORY_VIEWS == 0 or number == len(views):
                self._observe(batch)
                batch = []
                yield 0

    def _see(self, index: int, event: Event, *, is_scored: bool) -> None:
        video = self._known(event)
        viewer_id = event.user_id + 1
        if is_scored:
            self._score(index, event, viewer_id, video.video_id)
        else:
            self.warmup_events += 1
        self._observe(signals_of(event, video.creator_id, self._seq))
        if event.long_view:
            self._long_viewed.setdefault(viewer_id, set()).add(video.video_id)

    def _known(self, event: Event) -> VideoFacts:
        """Return the video of an event; what is shown first is known from then on."""
        video_id = event.video_id + 1
        video = self._videos.get(video_id)
        if video is None or (event.duration_ms and not video.duration_ms):
            video = (video or VideoFacts(video_id, 0))._replace(duration_ms=event.duration_ms)
            self._add_videos([video])
        return video

    def _score(self, index: int, event: Event, viewer_id: int, video_id: int) -> None:
        seen = self._long_viewed.get(viewer_id, ())
        without = frozenset(seen) if event.long_view and video_id not in seen else None
        surface = event.surface % SURFACES
        row: Row | None = None
        for contestant in self.contestants.values():
            said, rank = contestant.guess(viewer_id, video_id, event.time_ms, surface, without)
            contestant.guesses.add(said, rank)
            if row is None:
                row = Row(
                    index,
                    event.user_id,
                    event.video_id,
                    event.time_ms,
                    float(said.long_view),
                    float(said.watch_ms),
                    rank or None,
                )
                self._sink.write(row)
        self.outcomes.add(
            event.time_ms, long_view=event.long_view == 1, play_time_ms=event.play_time_ms
        )

    def _add_videos(self, facts: Sequence[VideoFacts]) -> None:
        self._videos.update((video.video_id, video) for video in facts)
        for contestant in self.contestants.values():
            contestant.add_videos(facts)

    def _observe(self, signals: Sequence[Signal]) -> None:
        self._seq += len(signals)
        for contestant in self.contestants.values():
            contestant.observe(signals)
