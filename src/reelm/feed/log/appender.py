"""The one writer of the log: it gives signals their order, and acknowledges them last.

One thread with a connection of its own. It holds the region's lock of the log for as long as the
connection lives, so a second process cannot write beside it, and once this one has lost its
connection the database has let go of everything it held. All signals that wait are one batch:
numbered, written, committed, applied to the ranker, and only then are their requests answered.

When the connection is lost in a commit, nobody knows whether it happened. Whoever gets the lock
again knows that the old session has ended, and so finds the batch in the log or not at all.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import make_conninfo

from reelm.feed.log import write
from reelm.feed.log.ticket import IN_DOUBT, NOT_WRITTEN, Queue, Ticket
from reelm.feed.log.write import Found, check
from reelm.feed.signals import Kind, Signal
from reelm.foundation.database.fence import FROZEN
from reelm.foundation.errors import Frozen, ReelmError
from reelm.foundation.logs import Line

log = logging.getLogger(__name__)
FAILED = Line("the appender of signals failed")
BATCH_LOST = Line("a batch of signals was not written: {error}")
BATCH_REFUSED = Line("a batch of signals was refused: {error}")
NOT_LEARNED = Line("a batch of signals was written and could not be learned from")
CONNECTION_LOST = Line("the appender of signals has lost its connection: {error}")

LOG_LOCK = 0x7265656C6D05  # "reelm" 5
OPTIONS = "-c statement_timeout=60s -c lock_timeout=5s -c timezone=UTC"
# A machine that vanished is noticed within half a minute, and its lock is free then.
KEEPALIVES: dict[str, str | int] = {
    "application_name": "reelm feed",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# An idle appender looks this often whether it still has its connection, and so its lock.
LOOK_EVERY_S = 2.0
RETRY_S = 0.5
# A restart of the database is waited out; when it takes longer, requests are refused at once.
REFUSE_AFTER_S = 4.0
# A deadlock, a lock that takes too long, a video deleted in this very moment: gone at the next try.
PASSING = (
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.ForeignKeyViolation,
    errors.SerializationFailure,
)
TRIES = 5

# A freeze takes the leave away, an end of it gives it back (foundation/database/fence.py).
MAY_WRITE = "SELECT has_table_privilege('signal', 'INSERT')"

STARTING = "The feed that learns is being loaded; it will be there in a moment."
HELD = "Another process of this region runs the feed that learns; this one waits for its end."
STOPPED = "The service is stopping."


class Position(NamedTuple):
    """How far the log goes: the last number and the last time given."""

    seq: int
    at_ms: int


@dataclass
class Counts:
    """What the appender has done since it began, for metrics."""

    signals: int = 0
    batches: int = 0
    left_out: int = 0  # of an erased account or a deleted video
    refused: int = 0
    reconnects: int = 0
    write_s: float = 0.0
    apply_s: float = 0.0


class _Doubt(NamedTuple):
    """A batch of which nobody knows yet whether it was committed."""

    tickets: list[Ticket]
    batch: list[Signal]


class Appender:
    """Writes signals, in one order, and hands each batch to `apply` after its commit.

    Args:
        conninfo: how the serving role connects.
        load: returns the log's end, and sees to it that the state comes to be there; it is called
            on the appender's thread, with its connection, when the lock is first held and
            whenever another process has written meanwhile. Signals are written once it returns.
        apply: takes a committed batch; called in the order of the log, on the same thread.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        load: Callable[[Connection[Any]], Position],
        apply: Callable[[list[Signal]], None],
    ) -> None:
        self.counts = Counts()
        self.position: Position | None = None
        self.queue = Queue(STARTING)
        self._conninfo, self._load, self._apply = conninfo, load, apply
        self._doubt: _Doubt | None = None
        self._lost_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed-appender", daemon=True)

    def start(self) -> None:
        """Begin: get the lock, load, write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, let go of the lock, and end."""
        self.queue.close(STOPPED)
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def append(self, signals: Sequence[Signal]) -> None:
        """Write signals; return when they are committed and applied.

        Raises:
            Invalid: a signal is none that the log can hold.
            Unavailable: they are not written; or it is not known, and says so.
            RateLimited: too much waits already.
        """
        for signal in signals:
            check(signal)
        try:
            for run in _apart(signals):
                self.queue.put_and_wait(run)
        except ReelmError:
            self.counts.refused += len(signals)
            raise

    @property
    def is_holder(self) -> bool:
        """Whether this process holds the log, as far as it knows."""
        return self.queue.refusal is None or self.is_frozen

    @property
    def is_frozen(self) -> bool:
        """Whether it holds the log, of which a freeze lets nothing be written."""
        return isinstance(self.queue.refusal, Frozen)

    def _run(self) -> None:
        while not self._is_done:
            try:
                with connect(self._conninfo) as connection:
                    self._hold(connection)
            except psycopg.Error as error:
                self._lost(error)
            except Exception:
                # Whatever it was, the next round begins with a connection and a state made anew.
                log.exception(FAILED())
                self.position = None
                self._lost(None)
            if self._stop.is_set():
                break
            self._stop.wait(RETRY_S)
        self._refuse_all(STOPPED)

    @property
    def _is_done(self) -> bool:
        return self._stop.is_set() and not len(self.queue)

    def _hold(self, connection: Connection[Any]) -> None:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOG_LOCK]).fetchone()
        connection.commit()
        if row is None or not row[0]:
            self._refuse_all(HELD)
            return
        self._settle(connection)
        self._lost_at = None
        if not self._stop.is_set():
            self._open(connection)
        while not self._is_done:
            tickets = self.queue.take(0 if self._stop.is_set() else LOOK_EVERY_S)
            if tickets:
                self._write(connection, tickets)
            elif not self._stop.is_set():
                self._open(connection)

    def _open(self, connection: Connection[Any]) -> None:
        """Take signals if the log may be written; also shows that the connection is there."""
        row = connection.execute(MAY_WRITE).fetchone()
        connection.commit()
        if row is not None and row[0]:
            self.queue.open()
        else:
            self._refuse_frozen()

    def _refuse_frozen(self) -> None:
        self.queue.close(FROZEN)
        self.queue.refuse_waiting(FROZEN)

    def _settle(self, connection: Connection[Any]) -> None:
        """Learn what became of the batch in doubt, and whether another process has written."""
        doubt = self._doubt
        is_there = doubt is not None and _is_there(connection, doubt.batch)
        newest = doubt.batch[-1].seq if doubt and is_there else 0
        if self.position is None or _end_of_log(connection) > max(self.position.seq, newest):
            self.queue.close(STARTING)
            self.position = self._load(connection)
        elif doubt and is_there:
            self._take_in(doubt.batch)
        connection.commit()
        self._doubt = None
        if doubt and is_there:
            _finish(doubt.tickets)
        elif doubt:
            self.queue.put_back(doubt.tickets)

    def _write(self, connection: Connection[Any], tickets: list[Ticket]) -> None:
        began = time.perf_counter()
        for tries_left in reversed(range(TRIES)):
            try:
                batch = self._commit(connection, tickets)
                break
            except PASSING as error:
                connection.rollback()
                if not tries_left:
                    log.warning(BATCH_LOST(error=error))
                    _finish(tickets, NOT_WRITTEN)
                    return
            except errors.InsufficientPrivilege:
                connection.rollback()
                self._doubt = None
                self._refuse_frozen()
                _finish(tickets, FROZEN)
                return
            except psycopg.Error as error:
                if connection.broken or connection.closed:
                    raise
                # The database refuses it: the disk is full, say.
                connection.rollback()
                log.warning(BATCH_REFUSED(error=error))
                _finish(tickets, NOT_WRITTEN)
                return
        self._doubt = None
        self.counts.write_s += time.perf_counter() - began
        if batch:
            self._take_in(batch)
        _finish(tickets)

    def _commit(self, connection: Connection[Any], tickets: list[Ticket]) -> list[Signal]:
        signals = [signal for ticket in tickets for signal in ticket.signals]
        self._doubt = _Doubt(tickets, [])
        found: Found = write.find(connection, signals)
        position = self.position or Position(0, 0)
        at_ms = max(position.at_ms, time.time_ns() // 1_000_000)
        batch = write.kept(signals, found, position.seq, at_ms)
        self.counts.left_out += len(signals) - len(batch)
        if batch:
            self._doubt = _Doubt(tickets, batch)
            write.insert(connection, batch, found)
        else:
            connection.rollback()
        return batch

    def _take_in(self, batch: list[Signal]) -> None:
        self.position = Position(batch[-1].seq, batch[-1].at_ms)
        began = time.perf_counter()
        try:
            self._apply(batch)
        except Exception:
            # It is in the log, and would fail there again: better one batch unlearned than none.
            log.exception(NOT_LEARNED())
        self.counts.apply_s += time.perf_counter() - began
        self.counts.signals += len(batch)
        self.counts.batches += 1

    def _lost(self, error: psycopg.Error | None) -> None:
        self.counts.reconnects += 1
        log.warning(CONNECTION_LOST(error=error))
        self._lost_at = self._lost_at or time.monotonic()
        if time.monotonic() - self._lost_at > REFUSE_AFTER_S:
            self._refuse_all(NOT_WRITTEN)
        if self._doubt is not None and not self._doubt.batch:
            self.queue.put_back(self._doubt.tickets)
            self._doubt = None

    def _refuse_all(self, reason: str) -> None:
        """Refuse what comes and what waits; the batch in doubt stays, and its requests are told."""
        self.queue.close(reason)
        if self._doubt is not None:
            _finish(self._doubt.tickets, IN_DOUBT)
            self._doubt = self._doubt._replace(tickets=[])
        self.queue.refuse_waiting(reason)


def _apart(signals: Sequence[Signal]) -> list[Sequence[Signal]]:
    """Return the signals in runs, with each reset a run of its own."""
    runs, begin = list[Sequence[Signal]](), 0
    for index, signal in enumerate(signals):
        if signal.kind == Kind.RESET:
            runs += [signals[begin:index], signals[index : index + 1]]
            begin = index + 1
    return [run for run in (*runs, signals[begin:]) if run]


def connect(conninfo: str) -> Connection[Any]:
    """Connect to the database as the log is written and read."""
    return psycopg.connect(make_conninfo(conninfo, **KEEPALIVES), options=OPTIONS)


def _end_of_log(connection: Connection[Any]) -> int:
    row = connection.execute("SELECT coalesce(max(seq), 0) FROM signal").fetchone()
    return 0 if row is None else int(row[0])


def _is_there(connection: Connection[Any], batch: Sequence[Signal]) -> bool:
    """Whether a batch is in the log; rows of it may have been erased, or be another process's."""
    if not batch:
        return False
    rows = connection.execute(
        "SELECT seq, viewer_id, kind, (extract(epoch FROM at) * 1000)::bigint FROM signal"
        " WHERE seq BETWEEN %s AND %s AND batch_seq = %s",
        [batch[0].seq, batch[-1].seq, batch[0].seq],
    ).fetchall()
    ours = {(signal.seq, signal.viewer_id, int(signal.kind), signal.at_ms) for signal in batch}
    return any(row in ours for row in rows)


def _finish(tickets: Sequence[Ticket], error: str | None = None) -> None:
    for ticket in tickets:
        ticket.finish(error)
