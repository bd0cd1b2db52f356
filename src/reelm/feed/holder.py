"""What the one process holds that runs the feed that learns: ranker, log, videos, snapshots.

A signal is written, committed, learned from and then acknowledged (log/appender.py); so the next
request of its viewer reflects it, and a killed process loses nothing that was acknowledged. At its
start a process loads the newest snapshot and learns what the log has after it (log/catch_up.py);
until it has, signals are written and acknowledged all the same, and nothing is recommended.
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from psycopg import Connection
from sqlalchemy.exc import SQLAlchemyError

from reelm.feed import idle
from reelm.feed.changes import Changes
from reelm.feed.first_served import note_first_served
from reelm.feed.given import Given, Why
from reelm.feed.idle import Active
from reelm.feed.learner import Learner, Make
from reelm.feed.log import snapshots
from reelm.feed.log.appender import Appender, Position
from reelm.feed.log.catch_up import CatchUp
from reelm.feed.log.days import make_days
from reelm.feed.log.replay import end_of_log
from reelm.feed.log.restore import restored
from reelm.feed.log.saving import Saving
from reelm.feed.ranker import Ask, Pick, State, VideoFacts
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import ReelmError, Unavailable
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
NOT_LOOKED_AFTER = Line("the ranker's state was not looked after: {error}")

LEARNING = "The feed is being loaded: it learns from this region's log, and is general until then."
TICK_S = 0.5
LOOK_FOR_IDLE_EVERY_S = 60.0


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
        self._seq, self._look_at = 0, 0.0
        conninfo = parts.database.conninfo
        self.appender = Appender(conninfo, load=self._load, apply=self._take)
        self._catch_up = CatchUp(
            conninfo,
            load=self._load_state,
            apply=self._apply,
            settle=self._forget_the_gone,
            done=self._caught_up,
        )
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
        self._catch_up.stop()
        self._changes.stop()
        self.appender.stop()
        self._keeper.join(timeout=5)
        if was_holder:
            with suppress(ReelmError, SQLAlchemyError):
                self.saving.save_changed()

    @property
    def refusal(self) -> ReelmError | None:
        """Why nothing is recommended just now, or None."""
        refusal = self.appender.queue.refusal
        if refusal is None and not self._catch_up.is_done:
            return Unavailable(LEARNING)
        return refusal

    @property
    def is_holder(self) -> bool:
        """Whether this process holds the log, and so takes signals."""
        return self.appender.is_holder

    def learned(self) -> float:
        """Return how much of the log is learned, from 0 to 1; at 1 all verbs work.

        Raises:
            Unavailable: this process does not hold the ranker, or has just begun.
        """
        share = self._catch_up.share
        if share is None or not self.is_holder:
            raise self.refusal or Unavailable(LEARNING)
        return share

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
        self._check_memory()
        with self._lock:
            return self._given.why(viewer_id, video_id)

    def known_of(self, viewer_id: int) -> dict[str, object]:
        """Return all that the ranker holds about one viewer, as JSON has it."""
        self._check_memory()
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

    def _check_memory(self) -> None:
        """Refuse where there is nothing in memory: in a freeze there is, and nothing is added."""
        if not (self.appender.is_frozen and self._catch_up.is_done):
            self._check()

    def _load(self, connection: Connection[Any]) -> Position:
        with suppress(SQLAlchemyError), self._parts.transaction() as session:
            make_days(session)  # the worker does it each night; without one there is the default
        seq, at_ms = end_of_log(connection)
        connection.commit()
        # A number that was learned from is not given again, though its row is erased by now.
        stored = (snapshot.seq for snapshot in snapshots.snapshots(self._parts))
        seq = max(seq, self._seq, *stored)
        self._catch_up.begin(seq)
        return Position(seq, at_ms)

    def _load_state(self) -> int:
        made = restored(self._parts, self._make)
        with self._lock:
            self._ranker, self._seq = made
            self._given, self._active = Given(), Active()
        self._changes.load()
        self.saving.begin(made[1], changed=False)
        return made[1]

    def _caught_up(self, seq: int) -> None:
        with self._lock:
            self._seq = max(seq, self._seq)
        note_first_served(self._parts, self.saving.save)

    def _take(self, batch: list[Signal]) -> None:
        """Take a batch that was just written."""
        if not self._catch_up.takes(batch):
            self._apply(batch)
        elif batch[0].kind == Kind.RESET and self._catch_up.is_loaded:
            self._drop_erased(batch[0].viewer_id)  # now, and again when the log comes by it

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
        self._look_at = time.monotonic() + LOOK_FOR_IDLE_EVERY_S
        while not self._stop.wait(TICK_S):
            if self.is_holder:
                self._look_after()

    def _look_after(self) -> None:
        try:
            self.saving.look()
            # Before all is learned nobody knows here who was active last.
            if self.refusal is None and time.monotonic() > self._look_at:
                self._look_at = time.monotonic() + LOOK_FOR_IDLE_EVERY_S
                self.drop_idle()
        except (ReelmError, SQLAlchemyError, OSError) as error:
            log.warning(NOT_LOOKED_AFTER(error=error))

    def drop_idle(self) -> int:
        """Forget the anonymous viewers who have been idle; return how many."""
        dropped = idle.drop(self._parts, self._lock, self._active, self._forget)
        if dropped:
            self.saving.changed()
        return dropped

    def _forget_the_gone(self) -> None:
        """Forget whoever is in the state and was erased meanwhile, or idle without an account."""
        with self._lock:
            viewers = self._ranker.viewers()
        idle.note_without_account(self._parts, self._lock, self._active, viewers)
        self.drop_idle()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
