"""The time that deadlines go by, on a machine whose clock may be wrong.

The clock that shows the date can be set, by hand or by a time server; the one that counts from the
boot (CLOCK_BOOTTIME, man 2 clock_gettime) cannot, but it stands still while a virtual machine is
paused. When both went on by the same since the last look they are believed. When they differ, the
truth may be with either, and the doubt goes against the service: what it owes is due by the later
reading, and what binds it ends by the earlier one, until they agree or the machine is restarted.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.database import fence
from reelm.regions.models import ClockMark

# A time server corrects by less; and less does not matter to deadlines of hours.
AGREE_WITHIN = timedelta(seconds=30)
# How far the clock of somebody who signs may be ahead of ours.
CLOCK_SLACK = timedelta(minutes=5)


class Clocks(msgspec.Struct, frozen=True):
    """What the machine's clocks show: the date, and the milliseconds since which boot."""

    shown: datetime
    boot_id: str
    boot_ms: int


class Bounds(msgspec.Struct, frozen=True):
    """Two times between which the true one lies; equal while the clocks agree."""

    earliest: datetime
    latest: datetime

    @property
    def agree(self) -> bool:
        """Whether there is no doubt about the time."""
        return self.latest - self.earliest <= AGREE_WITHIN


def read_clocks() -> Clocks:
    """Return what the machine's clocks show now."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return Clocks(now(), boot_id, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


def time_bounds(session: Session, clocks: Clocks | None = None) -> Bounds:
    """Return the bounds of the time now, from the clocks and what they showed when last marked."""
    clocks = clocks or read_clocks()
    return _bounds(clocks, _steady(clocks, session.get(ClockMark, 1)))


def mark_clocks(session: Session, clocks: Clocks | None = None) -> Bounds:
    """Note what the clocks show, and log it when they begin to differ; return the bounds."""
    clocks = clocks or read_clocks()
    before = session.scalar(select(ClockMark).with_for_update())
    steady = _steady(clocks, before)
    bounds = _bounds(clocks, steady)
    is_new = not bounds.agree and (before is None or before.agreed)
    waits = is_new and fence.is_closed(session)  # an entry would have the region sealed again
    if is_new and not waits:
        apart_s = int((bounds.latest - bounds.earliest).total_seconds())
        audit.record(session, "regions.clocks_differ", apart_s=apart_s)
    values = {
        "boot_id": clocks.boot_id,
        "boot_ms": clocks.boot_ms,
        # Small corrections of the date are taken over, so that they do not add up.
        "steady_at": clocks.shown if bounds.agree else steady,
        "agreed": bounds.agree or waits,
    }
    session.execute(
        insert(ClockMark)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=[ClockMark.id], set_=values)
    )
    return bounds


def _steady(clocks: Clocks, mark: ClockMark | None) -> datetime:
    """Return the time now by the clock that nobody can set."""
    if mark is None:
        return clocks.shown
    if mark.boot_id != clocks.boot_id:
        # How long the machine was off only the date can tell; it is not before the last look.
        return max(clocks.shown, mark.steady_at)
    return mark.steady_at + timedelta(milliseconds=clocks.boot_ms - mark.boot_ms)


def _bounds(clocks: Clocks, steady: datetime) -> Bounds:
    bounds = Bounds(min(clocks.shown, steady), max(clocks.shown, steady))
    return Bounds(clocks.shown, clocks.shown) if bounds.agree else bounds
