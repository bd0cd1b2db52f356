"""Learn what the log holds beyond the state that was loaded, while it is written on.

The log is open from the first moment: nobody who watches waits for this. What is written meanwhile
comes by here in its place; once nothing is left, the appender hands its batches over by itself.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import Connection

from reelm.feed.log.appender import NOT_LEARNED, connect
from reelm.feed.log.replay import batches_after, first_of_log
from reelm.feed.signals import Signal
from reelm.foundation.logs import Line

log = logging.getLogger(__name__)
FAILED = Line("learning from the log failed, and is tried again")
CAUGHT_UP = Line("learned {count} signals of the log, {seconds:.1f} s")
LOST = Line("learning from the log has lost its connection: {error}")

RETRY_S = 2.0
# A short replay is done at full speed. A long one rests after each so many seconds as long as it
# worked: without, requests meanwhile took 41 ms instead of 8, with it 13 (30,000 signals, 2 cores).
FULL_SPEED_S, WORK_S, REST = 3.0, 0.01, 1.0


class CatchUp:
    """Learns from the log up to its end, on a thread of its own. Safe for threads.

    Args:
        conninfo: how the serving role connects.
        load: makes the state; returns the number of the last signal that is in it.
        apply: learns from a batch; called in the order of the log.
        settle: is called once the end was reached for the first time.
        done: is called with the number of the last signal when nothing is left.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        load: Callable[[], int],
        apply: Callable[[list[Signal]], None],
        settle: Callable[[], None],
        done: Callable[[int], None],
    ) -> None:
        self._conninfo = conninfo
        self._load, self._apply, self._settle, self._done = load, apply, settle, done
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._first = self._end = 0
        self._seq: int | None = None  # None: nothing is loaded
        self.is_done = False

    def begin(self, end: int) -> None:
        """Load the state anew and learn up to the end of the log, the number `end` just now."""
        self.stop()
        self._stop = threading.Event()
        self._first, self._end, self._seq, self.is_done = 0, end, None, False
        self._thread = threading.Thread(target=self._run, name="feed-catch-up", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Learn no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def takes(self, batch: Sequence[Signal]) -> bool:
        """Take in that a batch is in the log; return whether it is learned from here."""
        with self._lock:
            self._end = max(self._end, batch[-1].seq)
            return not self.is_done or batch[-1].seq <= (self._seq or 0)

    @property
    def is_loaded(self) -> bool:
        """Whether there is a state, however little it has learned."""
        return self._seq is not None

    @property
    def share(self) -> float | None:
        """How much of the log is learned, from 0 to 1; None while nothing is loaded."""
        if self.is_done:
            return 1.0
        if self._seq is None:
            return None
        signals = max(self._end - self._first + 1, 1)
        # Never all before it is done: at 1 everybody relies on it.
        return min(max(self._seq - self._first + 1, 0) / signals, 0.99)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._conninfo) as connection:
                    self._learn(connection)
            except psycopg.Error as error:
                log.warning(LOST(error=error))
            except Exception:
                log.exception(FAILED())
            if self.is_done:
                return
            self._stop.wait(RETRY_S)

    def _learn(self, connection: Connection[Any]) -> None:
        self._first = first_of_log(connection)
        connection.commit()
        if self._seq is None:
            self._seq = self._load()
        pace, count, is_settled = _Pace(self._stop), 0, False
        while not self._stop.is_set():
            end = self._end  # committed before it was told here, so what follows finds it
            batches = batches_after(connection, self._seq)
            if not batches and not is_settled:
                self._settle()
                is_settled = True
            elif not batches and self._is_end(end):
                self._done(end)
                log.info(CAUGHT_UP(count=count, seconds=time.monotonic() - pace.began_at))
                return
            for batch in batches:
                if self._stop.is_set():
                    return
                self._learn_from(batch)
                count += len(batch)
                pace.rest()

    def _is_end(self, end: int) -> bool:
        with self._lock:
            self.is_done = self._end == end
            return self.is_done

    def _learn_from(self, batch: list[Signal]) -> None:
        try:
            self._apply(batch)
        except Exception:
            # As the appender does: better one batch unlearned than none.
            log.exception(NOT_LEARNED())
        self._seq = batch[-1].seq


class _Pace:
    """Lets requests have their turn while much is learned."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.began_at = self._rested_at = time.monotonic()

    def rest(self) -> None:
        """Rest if it is time to."""
        moment = time.monotonic()
        worked_s = moment - self._rested_at
        if moment - self.began_at > FULL_SPEED_S and worked_s > WORK_S:
            self._stop.wait(worked_s * REST)
            self._rested_at = time.monotonic()
