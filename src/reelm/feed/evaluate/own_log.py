"""The same protocol on the region's own log of signals."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import psycopg

from reelm.feed.evaluate.contest import Contest, Outcome, Said
from reelm.feed.evaluate.replay import TELL_EVERY
from reelm.feed.facts import all_facts
from reelm.feed.log.replay import end_of_log, replayed
from reelm.feed.ranker import VideoFacts
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts

# Impressions that wait for their watch; one so old that so many came after it has none.
WAITING = 1 << 16


class OwnReplay:
    """The replay of a region's log, read in the batches in which it was applied.

    An impression is asked about before its batch is learnt, and settled by its watch. What comes
    between, such as a like, is learnt and cannot reach what was said. An impression that is never
    watched is learnt and not scored. Viewers who were erased or have reset their feed are not in
    the log with what was before.
    """

    def __init__(self, parts: Parts) -> None:
        """Look where the log ends.

        Raises:
            Missing: the log is empty.
        """
        self._parts = parts
        with self._connected() as connection:
            self.size, self.last_time_ms = end_of_log(connection)
        if not self.size:
            raise Missing("The region's log is empty: nobody has watched anything yet.")
        self._waiting: OrderedDict[tuple[int, int], Said | None] = OrderedDict()
        # Who watched stays in the region: a file of predictions tells viewers by number.
        self._numbers: dict[int, int] = {}

    def run(self, contest: Contest, score_from_ms: int) -> Iterator[int]:
        """Replay the log, yielding its number up to which all is done."""
        to_come = self._videos()
        with self._connected() as connection:
            for number, batch in enumerate(replayed(connection, 0)):
                now_ms = batch[-1].at_ms
                while to_come and to_come[-1].published_ms <= now_ms:
                    contest.add_videos([to_come.pop()])
                self._see(contest, batch, score_from_ms)
                if number % TELL_EVERY == 0:
                    yield batch[-1].seq
        yield self.size

    def _see(self, contest: Contest, batch: list[Signal], score_from_ms: int) -> None:
        for signal in batch:
            if signal.video_id:
                contest.known(signal.video_id, signal.duration_ms)
            if signal.kind == Kind.IMPRESSION:
                self._ask(contest, signal, score_from_ms)
        contest.observe(batch)
        for signal in batch:
            if signal.kind == Kind.WATCH:
                self._settle(contest, signal)
            if signal.long_view:
                contest.note_long_view(signal.viewer_id, signal.video_id)

    def _ask(self, contest: Contest, shown: Signal, score_from_ms: int) -> None:
        said = None
        if shown.at_ms >= score_from_ms:
            said = contest.ask(
                shown.viewer_id, shown.video_id, shown.at_ms, shown.surface, may_be_target=True
            )
        self._waiting[shown.viewer_id, shown.video_id] = said
        self._waiting.move_to_end((shown.viewer_id, shown.video_id))
        if len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)

    def _settle(self, contest: Contest, watch: Signal) -> None:
        key = (watch.viewer_id, watch.video_id)
        if key not in self._waiting:
            return  # opened by its address, or watched again
        said = self._waiting.pop(key)
        if said is not None:
            number = self._numbers.setdefault(watch.viewer_id, len(self._numbers) + 1)
            outcome = Outcome(
                contest.events,
                number,
                watch.video_id,
                watch.at_ms,
                watch.watched_ms,
                watch.long_view,
            )
            contest.settle(outcome, said)
        contest.events += 1

    def _videos(self) -> list[VideoFacts]:
        """Return the videos, the oldest last."""
        with self._parts.transaction() as session:
            videos = [facts for some in all_facts(session) for facts in some]
        return sorted(videos, key=lambda one: (one.published_ms, one.video_id), reverse=True)

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._parts.database.conninfo)
