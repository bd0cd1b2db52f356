"""The protocol: for each event in time order ask the models, then let them learn from it."""

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

from reelm.feed.evaluate.contest import Contest, Outcome
from reelm.feed.evaluate.log import Event, Log
from reelm.feed.evaluate.viewing import Memories, facts_of, signals_of, signals_of_history
from reelm.feed.ranker import VideoFacts
from reelm.feed.signals import SURFACES, Signal

# A history is learnt in batches, as the appender writes them; an event is a batch of its own.
HISTORY_VIEWS = 500
# So often is told how far a replay is.
TELL_EVERY = 256


class Replay(Protocol):
    """A log that can be replayed once.

    Attributes:
        last_time_ms: of the last event.
        size: of the whole, in the unit of progress.
    """

    last_time_ms: int
    size: int

    def run(self, contest: Contest, score_from_ms: int) -> Iterator[int]:
        """Replay, yielding now and then how much is done."""


class FolderReplay:
    """The replay of a folder's log."""

    def __init__(self, log: Log) -> None:
        self.last_time_ms = log.last_time_ms
        self.size = log.count
        self._log = log
        self._seq = 1

    def run(self, contest: Contest, score_from_ms: int) -> Iterator[int]:
        """Replay the log, yielding how many events are done.

        Raises:
            Invalid: the log is malformed.
        """
        contest.add_videos([facts_of(facts) for facts in self._log.videos()])
        events = self._log.events()
        first = next(events)
        yield from self._remember(contest, first.time_ms)
        for index, event in enumerate(chain((first,), events)):
            self._see(contest, index, event, is_scored=event.time_ms >= score_from_ms)
            if index % TELL_EVERY == 0:
                yield index
        yield self.size

    def _remember(self, contest: Contest, until_ms: int) -> Iterator[int]:
        views = Memories(self._log.past(), until_ms)
        missing = views.video_ids() - contest.videos.keys()
        contest.add_videos([VideoFacts(video_id, 0) for video_id in sorted(missing)])
        for view in views:
            if view.is_long:
                contest.note_long_view(view.viewer_id, view.video_id)
        batch: list[Signal] = []
        for number, signals in enumerate(signals_of_history(views, self._seq), 1):
            batch += signals
            if number % HISTORY_VIEWS == 0 or number == len(views):
                self._observe(contest, batch)
                batch = []
                yield 0

    def _see(self, contest: Contest, index: int, event: Event, *, is_scored: bool) -> None:
        viewer_id, is_long = event.user_id + 1, event.long_view == 1
        video = contest.known(event.video_id + 1, event.duration_ms)
        contest.events += 1
        if is_scored:
            surface = event.surface % SURFACES
            said = contest.ask(
                viewer_id, video.video_id, event.time_ms, surface, may_be_target=is_long
            )
            contest.settle(Outcome(index, *event[:4], is_long), said)
        self._observe(contest, signals_of(event, video.creator_id, self._seq))
        if is_long:
            contest.note_long_view(viewer_id, video.video_id)

    def _observe(self, contest: Contest, signals: list[Signal]) -> None:
        self._seq += len(signals)
        contest.observe(signals)
