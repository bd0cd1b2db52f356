"""63-bit snowflake ids: time-ordered, unique in a region and across regions.

Layout, from the highest bit: 41 bits of milliseconds since EPOCH_MS, 10 bits region number,
6 bits process (a lease in the database), 6 bits sequence. A full millisecond and a clock that
steps back both wait; an id is never repeated.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reelm.foundation.errors import Unavailable

# 2026-01-01T00:00:00Z: 41 bits from here last until 2095.
EPOCH_MS = 1_767_225_600_000
REGION_BITS, PROCESS_BITS, SEQUENCE_BITS = 10, 6, 6
MAX_REGION = (1 << REGION_BITS) - 1
MAX_PROCESS = (1 << PROCESS_BITS) - 1
MAX_SEQUENCE = (1 << SEQUENCE_BITS) - 1
MAX_ID = (1 << 63) - 1
# A clock that is this far behind is a fault to report, not a moment to wait out.
MAX_WAIT_MS = 10_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Snowflakes:
    """A source of ids for one process that holds process number `process`."""

    region: int
    process: int
    floor_ms: int = 0
    wall_ms: Callable[[], int] = _wall_ms
    sleep: Callable[[float], None] = time.sleep
    _last_ms: int = 0
    _sequence: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._last_ms = self.floor_ms
        # Nothing is known of the ids that an earlier holder made in the floor's millisecond.
        self._sequence = MAX_SEQUENCE if self.floor_ms else 0

    def next(self) -> int:
        """Return a new id; waits for the clock, at most MAX_WAIT_MS."""
        with self._lock:
            ms = self._wait_until(self._last_ms)
            if ms > self._last_ms:
                self._last_ms, self._sequence = ms, 0
            elif self._sequence < MAX_SEQUENCE:
                self._sequence += 1
            else:
                self._last_ms, self._sequence = self._wait_until(self._last_ms + 1), 0
            return self._compose()

    def _compose(self) -> int:
        ticks = self._last_ms - EPOCH_MS
        high = (ticks << REGION_BITS | self.region) << PROCESS_BITS | self.process
        return high << SEQUENCE_BITS | self._sequence

    def _wait_until(self, least_ms: int) -> int:
        ms = self.wall_ms()
        if least_ms - ms > MAX_WAIT_MS:
            raise Unavailable("This machine's clock has stepped back; set it right and try again.")
        while ms < least_ms:
            self.sleep((least_ms - ms) / 1000)
            ms = self.wall_ms()
        return ms


_source: Snowflakes | None = None


def use(source: Snowflakes | None) -> None:
    """Make `source` the source of this process's ids (app.py does it at start)."""
    global _source  # noqa: PLW0603 - one process holds one lease, so one source
    _source = source


def new_id() -> int:
    """Return a new 63-bit id from this process's source."""
    if _source is None:
        raise Unavailable("This process holds no id lease: open the region first.")
    return _source.next()


def made_at(snowflake: int) -> datetime:
    """Return the time at which an id was made."""
    ms = (snowflake >> (REGION_BITS + PROCESS_BITS + SEQUENCE_BITS)) + EPOCH_MS
    return datetime.fromtimestamp(ms / 1000, UTC)
