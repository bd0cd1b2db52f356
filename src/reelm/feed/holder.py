"""What the one process holds that runs the feed that learns: ranker, log, videos, snapshots.

A signal is written, committed, learned from and then acknowledged (log/appender.py); so the next
request of its viewer reflects it, and a killed process loses nothing that was acknowledged. At its
start a process loads the newest snapshot and replays what the log has after it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from psycopg import Connection
from sqlalchemy.exc import SQLAlchemyError

from reelm.feed.changes import Changes
from reelm.feed.given import Given, Why
from reelm.feed.idle import AT_ONCE, Active, delete_log, last_active, without_account
from reelm.feed.learner import Learner
from reelm.feed.log import snapshots
from reelm.feed.log.appender import Appender, Position
from reelm.feed.log.days import make_days
from reelm.feed.log.replay import end_of_log, replayed
from reelm.feed.log.saving import Saving
from reelm.feed.ranker import Ask, Pick, State, VideoFacts
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import ReelmError
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
LOADED = Line("loaded {videos} videos, replayed {count} signals, {seconds:.1f} s")
OTHER_RELEASE = Line("the snapshot at {seq} is not of this release: {error}")
NOT_LOOKED_AFTER = Line("the ranker's state was not looked after: {error}")

TICK_S = 0.5
LOOK_FOR_IDLE_EVERY_S = 60.0

Make = Callable[[State | None], Learner]


class Holder:
    """Runs the feed that learns, while this process holds the region's log.

    Args:
        parts: the open region.
        make: makes a ranker of a state, or an empty one.
    """

    def __init__(self, parts: Parts, make: Make) -> None:
        self._parts, self._make = parts, make
        self._lock = threading.Lock()
        self._ranker: Learner  # made when the log is held
        self._given, self._active = Given(), Active()
        self._seq = 0
        self.appender = Appender(parts.database.conninfo, load=self._load, apply=self._apply)
        self.saving = Saving(parts, self._copy)
        self._changes = Changes(
            parts, take=self._take_videos, known=self._known_videos, forget=self._drop_erased
        )
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="feed-keeper", daemon=True)

    def start(self) -> None:
        """Begin: hold the log as soon as no other process does, load, and answer."""
        self.appender.start()
        self._keeper.start()

    def stop(self) -> None:
        """Write what waits, store the state, and let go of the log."""
        was_holder = self.appender.is_holder
        self._stop.set()
        self._changes.stop()
        self.appender.stop()
        self._keeper.join(timeout=5)
        if was_holder:
            with suppress(ReelmError, SQLAlchemyError):
                self.saving.save_changed()

    @property
    def refusal(self) -> ReelmError | None:
        """Why no verb works just now, or None."""
        return self.appender.queue.refusal

    def observe(self, signals: Sequence[Signal]) -> None:
        """Write signals and learn from them; return when both are done.

        Raises:
            Unavailable: they are not written; or it is not known, and says so.
            RateLimited: too much waits already.
            Invalid: the log cannot hold one of them.
        """
        if signals:
            self.appender.append(signals)

    def recommend(self, ask: Ask) -> list[Pick]:
        """Return picks, and keep them from the viewer's other tabs.

        Raises:
            Unavailable: this process does not hold the ranker, or is loading it.
        """
        self._check()
        with self._lock:
            before = self._given.page(ask.viewer_id, ask.page_id)
            if before is not None:
                return before
            without = ask.without | self._given.reserved(ask.viewer_id)
            picks = self._ranker.recommend(ask._replace(without=without))
            self._given.reserve(ask.viewer_id, picks, ask.page_id)
            self._active.note(ask.viewer_id, _now_ms())
        return picks

    def why(self, viewer_id: int, video_id: int) -> Why | None:
        """Return why the viewer was given a video lately, if it is remembered."""
        self._check()
        with self._lock:
            return self._given.why(viewer_id, video_id)

    def known_of(self, viewer_id: int) -> dict[str, object]:
        """Return all that the ranker holds about one viewer, as JSON has it."""
        self._check()
        with self._lock:
            return self._ranker.known_of(viewer_id)

    def forget(self, viewer_id: int) -> None:
        """Forget a viewer: in the log, in memory, and in the snapshots soon after.

        Raises:
            Unavailable: it is not done.
        """
        self.appender.append([Signal(viewer_id, 0, Kind.RESET)])

    def figures(self) -> dict[str, float]:
        """Return numbers about the log and the ranker, by name, for metrics."""
        counts = self.appender.counts
        return {
            "is_holder": float(self.appender.is_holder),
            "signals": counts.signals,
            "batches": counts.batches,
            "signals_left_out": counts.left_out,
            "signals_refused": counts.refused,
            "signals_waiting": len(self.appender.queue),
            "reconnects": counts.reconnects,
            "write_seconds": counts.write_s,
            "learn_seconds": counts.apply_s,
            "seq": self._seq,
            "snapshot_seq": self.saving.seq,
            "snapshot_made_at": self.saving.made_at or 0.0,
        }

    def digest(self) -> str:
        """Return a digest of the ranker's state, equal for equal states."""
        with self._lock:
            return self._ranker.digest()

    def _check(self) -> None:
        if (refusal := self.refusal) is not None:
            raise refusal

    def _load(self, connection: Connection[Any]) -> Position:
        began = time.monotonic()
        with suppress(SQLAlchemyError), self._parts.transaction() as session:
            make_days(session)  # the worker does it each night; without one there is the default
        made = self._restored()
        with self._lock:
            self._ranker, self._seq = made
            self._given, self._active = Given(), Active()
        videos = self._changes.load()
        replayed_signals = 0
        for batch in replayed(connection, made[1]):
            replayed_signals += len(batch)
            self._apply(batch)
        seq, at_ms = end_of_log(connection)
        connection.commit()
        self._forget_the_gone()
        with self._lock:
            self._seq = max(seq, self._seq)
        self.saving.begin(made[1], changed=replayed_signals > 0)
        took_s = time.monotonic() - began
        log.info(LOADED(videos=videos, count=replayed_signals, seconds=took_s))
        return Position(self._seq, at_ms)

    def _restored(self) -> tuple[Learner, int]:
        for snapshot, state in snapshots.loadable(self._parts):
            try:
                return self._make(state), snapshot.seq
            except Exception as error:  # noqa: BLE001 - of another release: anything may be missing
                log.warning(OTHER_RELEASE(seq=snapshot.seq, error=error))
        return self._make(None), 0

    def _apply(self, batch: list[Signal]) -> None:
        with self._lock:
            self._seq = batch[-1].seq
            if batch[0].kind == Kind.RESET:
                self._forget(batch[0].viewer_id)
                self.saving.purge()
                return
            self.saving.changed()
            self._ranker.observe(batch)
            if any(signal.kind == Kind.FORGET_WATCH for signal in batch):
                self.saving.purge()
            for signal in batch:
                self._active.note(signal.viewer_id, signal.at_ms)
                if signal.kind == Kind.IMPRESSION:
                    self._given.release(signal.viewer_id, (signal.video_id,))

    def _forget(self, viewer_id: int) -> None:
        self._ranker.forget(viewer_id)
        self._given.forget(viewer_id)
        self._active.forget(viewer_id)

    def _drop_erased(self, account_id: int) -> None:
        with self._lock:
            self._forget(account_id)
        self.saving.purge()

    def _take_videos(self, shown: list[VideoFacts], gone: list[int]) -> None:
        with self._lock:
            self._ranker.add_videos(shown)
            self._ranker.remove_videos(gone)

    def _known_videos(self) -> list[int]:
        with self._lock:
            return self._ranker.videos()

    def _copy(self) -> tuple[State, int]:
        """Return a copy of the state, for a snapshot that is written while learning goes on."""
        with self._lock:
            header, arrays = self._ranker.state()
            copied = {name: np.array(array) for name, array in arrays.items()}
            return State(header, copied), self._seq

    def _keep(self) -> None:
        look_at = time.monotonic() + LOOK_FOR_IDLE_EVERY_S
        while not self._stop.wait(TICK_S):
            if not self.appender.is_holder:
                continue
            try:
                self.saving.look()
                if time.monotonic() > look_at:
                    look_at = time.monotonic() + LOOK_FOR_IDLE_EVERY_S
                    self.drop_idle()
            except (ReelmError, SQLAlchemyError, OSError) as error:
                log.warning(NOT_LOOKED_AFTER(error=error))

    def drop_idle(self) -> int:
        """Forget the anonymous viewers who have been idle; return how many."""
        with self._lock:
            idle = self._active.take_idle(_now_ms())
        dropped = 0
        for begin in range(0, len(idle), AT_ONCE):
            with self._parts.transaction() as session:
                gone = without_account(session, idle[begin : begin + AT_ONCE])
                delete_log(session, gone)
            dropped += len(gone)
            with self._lock:
                for viewer_id in gone:
                    self._forget(viewer_id)
        if dropped:
            self.saving.changed()
        return dropped

    def _forget_the_gone(self) -> None:
        """Forget whoever is in the state and was erased meanwhile, or idle without an account."""
        with self._lock:
            viewers = self._ranker.viewers()
        for begin in range(0, len(viewers), AT_ONCE):
            with self._parts.transaction() as session:
                gone = without_account(session, viewers[begin : begin + AT_ONCE])
                last_ms = last_active(session, gone)
            with self._lock:
                for viewer_id in gone:
                    self._active.note(viewer_id, last_ms.get(viewer_id, 0))
        self.drop_idle()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
