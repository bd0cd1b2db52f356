"""When the ranker's state is stored: often enough for a short replay, seldom enough to cost little.

After somebody was forgotten it is stored soon and then once more, so that neither of the two
snapshots that are kept holds anything of them. A reset, as a watch deleted from a history, is a
row of the log until then, for a process that starts from an older snapshot must come by it.
"""

import threading
import time
from collections.abc import Callable

from sqlalchemy import delete

from reelm.feed.log import snapshots
from reelm.feed.models import SignalRow
from reelm.feed.ranker import State
from reelm.feed.signals import FORGETTINGS
from reelm.foundation.parts import Parts

# Some minutes of a busy log are replayed in a few seconds.
EVERY_S = 120.0
# After somebody was forgotten; those who are forgotten together share a snapshot.
SOON_S = 2.0
# Storing may take this share of the time, however large the state is.
SHARE = 0.02


class Saving:
    """Stores the state that `copy` returns when it is due. Safe for threads."""

    def __init__(self, parts: Parts, copy: Callable[[], tuple[State, int]]) -> None:
        self._parts, self._copy = parts, copy
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._is_changed = False
        self._purges_left = 0
        self._asked_at = 0.0
        self._saved_at = time.monotonic()
        self._took_s = 0.0
        self.seq = 0
        self.made_at: float | None = None  # time.time() of the newest

    def begin(self, seq: int, *, changed: bool) -> None:
        """Take in that the state was loaded from a snapshot at `seq`."""
        with self._lock:
            self.seq = seq
            self._is_changed = changed
            self._saved_at = time.monotonic()

    def changed(self) -> None:
        """Take in that the state has changed."""
        self._is_changed = True

    def purge(self) -> None:
        """Have all that is stored now replaced soon: it holds what was forgotten."""
        with self._lock:
            if not self._purges_left:
                self._asked_at = time.monotonic()
            self._purges_left = snapshots.KEPT

    def look(self) -> bool:
        """Store the state if it is due; return whether it was."""
        if not self._is_due():
            return False
        self.save()
        return True

    def save_changed(self) -> None:
        """Store the state if anything has changed since it was stored last."""
        if self._is_changed or self._purges_left:
            self.save()

    def save(self) -> None:
        """Store the state now."""
        with self._one_at_a_time:
            began = time.monotonic()
            with self._lock:
                self._is_changed = False
                purges_left = max(self._purges_left - 1, 0)
                self._purges_left = 0
            try:
                state, seq = self._copy()
                snapshots.save(self._parts, state, seq)
            except BaseException:
                with self._lock:
                    self._is_changed, self._purges_left = True, purges_left + 1
                raise
            with self._lock:
                self._purges_left = max(self._purges_left, purges_left)
                self._saved_at = time.monotonic()
                self._took_s = self._saved_at - began
                self.seq, self.made_at = seq, time.time()
            self._delete_forgettings()

    def _is_due(self) -> bool:
        moment = time.monotonic()
        with self._lock:
            pause_s = moment - self._saved_at
            if pause_s * SHARE < self._took_s:
                return False
            if self._purges_left:
                return min(pause_s, moment - self._asked_at) >= SOON_S
            return self._is_changed and pause_s >= EVERY_S

    def _delete_forgettings(self) -> None:
        """Delete the rows that say what was forgotten, once every snapshot has forgotten it."""
        oldest = min((snapshot.seq for snapshot in snapshots.snapshots(self._parts)), default=0)
        with self._parts.transaction() as session:
            session.execute(
                delete(SignalRow).where(SignalRow.kind.in_(FORGETTINGS), SignalRow.seq <= oldest)
            )
