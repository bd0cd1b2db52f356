"""The audit log counted for the transparency report, kept in memory as it grows.

Each request takes in what came since the last one, up to the newest checkpoint, so that a report
is the one that an export of that size gives.
"""

import threading

from reelm import audit
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing
from reelm.proofs.note import Checkpoint, Note
from reelm.transparency import FromLog, Ledger, Period, PublishedReport, publish_report

# Entries that are read at once.
PAGE = 5000


class CountedLog:
    """What the log comes to, for all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ledger, self._read = Ledger(), 0
        self._last: Checkpoint | None = None

    def publish(self, session: Session, period: Period) -> PublishedReport:
        """Return the report of a period.

        Raises:
            Missing: the log has nothing of the period, or it has not begun.
        """
        with self._lock:
            checkpoint = self._take_new(session)
            log = FromLog(
                checkpoint.origin, checkpoint.size, checkpoint.root.hex(), self._ledger.until
            )
            return publish_report(self._ledger, period, log)

    def months(self, session: Session) -> tuple[str, str] | None:
        """Return the first and the last month of the log, or None while it is empty."""
        with self._lock:
            try:
                self._take_new(session)
            except Missing:
                return None
            first, last = self._ledger.first, self._ledger.last
            return None if first is None or last is None else (first, last)

    def _take_new(self, session: Session) -> Checkpoint:
        newest = Checkpoint.parse(Note.parse(audit.checkpoint_note(session)).text)
        last = self._last
        if last is not None and (newest.size < last.size or newest.origin != last.origin):
            self._begin()  # another log is here now
        while self._read < newest.size:
            end = min(self._read + PAGE, newest.size)
            page = audit.leaves(session, start=self._read, end=end)
            try:
                for leaf in page:
                    self._ledger.take(leaf)
            except BaseException:
                self._begin()  # half a page is none
                raise
            self._read = end
        self._last = newest
        return newest

    def _begin(self) -> None:
        self._ledger, self._read = Ledger(), 0
