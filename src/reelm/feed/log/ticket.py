"""What a request hands to the appender, and how it is told the outcome."""

import threading
from collections import deque
from collections.abc import Sequence

from reelm.feed.signals import Kind, Signal
from reelm.foundation.database.fence import FROZEN
from reelm.foundation.errors import Frozen, RateLimited, ReelmError, TooLarge, Unavailable

# Signals of one batch: it is written in some tens of ms, and nobody waits for more than two.
MOST_IN_BATCH = 2_000
# Signals that may wait: a few seconds' worth; more would only wait in vain.
MOST_WAITING = 50_000
# How long a request waits, a restart of the database included.
PATIENCE_S = 8.0

FULL = "More is being watched just now than can be written down; try again in a moment."
NOT_WRITTEN = "What you did could not be written down: the database does not answer just now."
IN_DOUBT = "The database went away just now; what you did may or may not have been written down."


class Ticket:
    """Signals of one request, written together or not at all."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.signals = signals
        self.is_taken = False
        self.error: str | None = None
        # A lock is the cheapest thing to wait for: each batch wakes many requests.
        self._done = threading.Lock()
        self._done.acquire()

    @property
    def is_reset(self) -> bool:
        """Whether it is the reset of a viewer, which is a batch of its own."""
        return self.signals[0].kind == Kind.RESET

    def finish(self, error: str | None = None) -> None:
        """Tell the request that it is written, or why not."""
        self.error = error
        self._done.release()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the outcome; return whether there is one."""
        return self._done.acquire(timeout=timeout_s)


class Queue:
    """Tickets that wait for the appender; bounded, and closed with a reason while it cannot take.

    A closed queue refuses at once, as whoever waits holds a thread of the server.
    """

    def __init__(self, closed: str) -> None:
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._tickets: deque[Ticket] = deque()
        self._size = 0
        self._closed: str | None = closed

    def put_and_wait(self, signals: Sequence[Signal], timeout_s: float = PATIENCE_S) -> None:
        """Hand signals over, and return when they are written and applied.

        Raises:
            Unavailable: they are not written; or it is not known, and says so.
            RateLimited: too much waits already.
            TooLarge: more signals than one batch takes.
        """
        if len(signals) > MOST_IN_BATCH:
            raise TooLarge(f"At most {MOST_IN_BATCH} signals are taken at once.")
        ticket = Ticket(signals)
        self._put(ticket)
        if not ticket.wait(timeout_s):
            self._give_up(ticket)
        if ticket.error is not None:
            raise unavailable(ticket.error)

    def take(self, timeout_s: float) -> list[Ticket]:
        """Return the tickets of the next batch; none where none came in time."""
        with self._lock:
            if not self._tickets:
                self._filled.wait(timeout_s)
            taken, size = list[Ticket](), 0
            while self._tickets and size + len(self._tickets[0].signals) <= MOST_IN_BATCH:
                if taken and (taken[0].is_reset or self._tickets[0].is_reset):
                    break
                ticket = self._tickets.popleft()
                ticket.is_taken = True
                size += len(ticket.signals)
                taken.append(ticket)
            self._size -= size
            return taken

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """Let taken tickets be the first again: nothing of them was written."""
        with self._lock:
            self._tickets.extendleft(reversed(tickets))
            self._size += sum(len(ticket.signals) for ticket in tickets)
            for ticket in tickets:
                ticket.is_taken = False

    def open(self) -> None:
        """Take what comes."""
        with self._lock:
            self._closed = None

    def close(self, reason: str) -> None:
        """Refuse what comes; what waits already goes on waiting."""
        with self._lock:
            self._closed = reason
            self._filled.notify_all()

    def refuse_waiting(self, reason: str) -> None:
        """Tell all that wait that nothing of theirs is written."""
        with self._lock:
            waiting, self._size = list(self._tickets), 0
            self._tickets.clear()
        for ticket in waiting:
            ticket.finish(reason)

    @property
    def refusal(self) -> ReelmError | None:
        """Why nothing is taken, or None."""
        closed = self._closed
        return None if closed is None else unavailable(closed)

    def __len__(self) -> int:
        return self._size

    def _put(self, ticket: Ticket) -> None:
        with self._lock:
            if self._closed is not None:
                raise unavailable(self._closed)
            if self._size + len(ticket.signals) > MOST_WAITING:
                raise RateLimited(FULL, retry_after_s=1)
            self._tickets.append(ticket)
            self._size += len(ticket.signals)
            self._filled.notify()

    def _give_up(self, ticket: Ticket) -> None:
        with self._lock:
            if not ticket.is_taken and ticket in self._tickets:
                self._tickets.remove(ticket)
                self._size -= len(ticket.signals)
                raise Unavailable(NOT_WRITTEN)
        if not ticket.wait(0):
            raise Unavailable(IN_DOUBT)


def unavailable(reason: str) -> Unavailable:
    """Return the error of a reason: Frozen where it is a freeze."""
    return Frozen(reason) if reason == FROZEN else Unavailable(reason)
