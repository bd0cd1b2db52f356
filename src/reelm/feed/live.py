"""The feed that learns, as the web uses it: whichever process holds the ranker.

One process of the region holds it (holder.py) and answers the others over a socket (remote.py);
should it end, another takes over. While none holds it every verb raises Unavailable, and the web
serves the feed without a profile; while one learns from the log, signals are taken and the other
verbs raise it.
"""

import logging
import threading
import time
from collections.abc import Sequence

from reelm.feed.given import Why
from reelm.feed.holder import Holder
from reelm.feed.learner import Learner, Make
from reelm.feed.log.ticket import MOST_IN_BATCH
from reelm.feed.ranker import Ask, Pick, Ranker, Sizes, State
from reelm.feed.remote import Door, Remote
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Invalid, ReelmError, Unavailable
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)

# A small region is loaded in less; a large one is served without a profile until it is there.
START_S = 3.0
LOOK_EVERY_S = 0.2
# How much the ranker may hold; None for its own defaults.
SIZES: Sizes | None = None


class Outbox:
    """Signals of one request, written after its transaction has committed.

    `add` is for acts that are done whether or not anybody learns from them, such as a like;
    `need` for those whose only purpose is the log, so that the sender must hear when it failed.
    """

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.is_needed = False

    def add(self, *signals: Signal) -> None:
        """Have signals written if that is possible just now."""
        self.signals += signals

    def need(self, *signals: Signal) -> None:
        """Have signals written, or the request fail."""
        self.signals += signals
        self.is_needed = True

    def forget(self, viewer_id: int) -> None:
        """Have a viewer forgotten, before what is added after this; or the request fail."""
        self.need(Signal(viewer_id, 0, Kind.RESET))


class LiveFeed:
    """The feed that learns.

    Args:
        parts: the open region.
        make: makes a ranker of a state, or an empty one.
    """

    def __init__(self, parts: Parts, make: Make | None = None) -> None:
        self.holder = Holder(parts, make or make_ranker)
        self._remote = Remote(parts.home)
        self._door = Door(parts.home, self.holder)
        self._is_alone = parts.settings.http.processes == 1
        self._stop = threading.Event()
        self._looker = threading.Thread(target=self._look, name="feed-door", daemon=True)

    def start(self, wait_s: float = START_S) -> None:
        """Begin, and wait for a moment until it can be used."""
        self.holder.start()
        if not self._is_alone:
            self._looker.start()
        end = time.monotonic() + wait_s
        while not self.is_ready and time.monotonic() < end:
            time.sleep(0.01)

    def stop(self) -> None:
        """Write what waits, store the state, and let another process take over."""
        self._stop.set()
        if self._looker.is_alive():
            self._looker.join(timeout=5)
        self._door.close()
        self._remote.close()
        self.holder.stop()

    @property
    def is_ready(self) -> bool:
        """Whether the verbs work, as far as is known without a try."""
        return self.holder.refusal is None or self._remote.is_there

    def learned(self) -> float | None:
        """Return how much of the log is learned, from 0 to 1; None where nobody can say now.

        At 1 the feed is made from what viewers watched, before it is not.
        """
        try:
            return self._side.learned()
        except Unavailable:
            return None

    def observe(self, signals: Sequence[Signal]) -> None:
        """Write signals and learn from them; return when both are done.

        Their `seq` and `at_ms` are given here.

        Raises:
            Unavailable: they are not written; or it is not known, and says so.
            RateLimited: too much waits already.
            Invalid: the log cannot hold one of them.
        """
        if signals:
            self._side.observe(signals)

    def observe_all(self, told: Sequence[Sequence[Signal]]) -> list[ReelmError | None]:
        """Write the signals of several requests at once; return what each would have raised."""
        outcomes, begin = list[ReelmError | None](), 0
        while begin < len(told):
            end, size = begin + 1, len(told[begin])
            while end < len(told) and size + len(told[end]) <= MOST_IN_BATCH:
                size += len(told[end])
                end += 1
            outcomes += self._outcomes(told[begin:end])
            begin = end
        return outcomes

    def _outcomes(self, told: Sequence[Sequence[Signal]]) -> list[ReelmError | None]:
        try:
            self.observe([signal for signals in told for signal in signals])
        except Invalid as error:
            # Nothing of it is written: one signal must not spoil those of others.
            return (
                [error]
                if len(told) == 1
                else [outcome for signals in told for outcome in self._outcomes([signals])]
            )
        except ReelmError as error:
            return [error] * len(told)
        return [None] * len(told)

    def recommend(self, ask: Ask) -> list[Pick]:
        """Return picks, kept from the viewer's other tabs until they are observed.

        Raises:
            Unavailable: nobody can recommend just now.
        """
        return self._side.recommend(ask)

    def why(self, viewer_id: int, video_id: int) -> Why | None:
        """Return why the viewer was given a video lately, if it is remembered."""
        return self._side.why(viewer_id, video_id)

    def known_of(self, viewer_id: int) -> dict[str, object]:
        """Return all that the ranker holds about one viewer, as JSON has it."""
        return self._side.known_of(viewer_id)

    def forget(self, viewer_id: int) -> None:
        """Forget a viewer: in the log, in memory, and in the snapshots soon after.

        Raises:
            Unavailable: it is not done.
        """
        self._side.forget(viewer_id)

    def figures(self) -> dict[str, float]:
        """Return numbers about this process's part, by name, for metrics."""
        return self.holder.figures()

    @property
    def _side(self) -> Holder | Remote:
        if self._is_alone or self.holder.is_holder or not self._remote.is_there:
            return self.holder  # which says why not, where it cannot
        return self._remote

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self.holder.is_holder:
                self._door.open()
            else:
                self._door.close()
                self._remote.look()


def make_ranker(state: State | None) -> Learner:
    """Return a ranker of a state, or one that knows nothing."""
    return Ranker(SIZES) if state is None else Ranker.from_state(state)
