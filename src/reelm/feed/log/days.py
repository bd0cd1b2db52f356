"""The days of the log: one partition each, made ahead of time and dropped when too old.

The serving role calls two functions of the database for it (migration 0001), as it may not
define tables itself.
"""

import logging
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.feed.models import KEEP_DAYS, LOG_RETENTION
from reelm.foundation.clock import now
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
DROPPED = Line("dropped the log of {first} to {last}: {days} days are kept")

# A worker that is down for less than this leaves nothing to the default partition.
AHEAD_DAYS = 7


def make_days(session: Session, ahead: int = AHEAD_DAYS) -> list[date]:
    """Make the partitions of yesterday, today and the next days where they lack; return those."""
    today = now().date()
    days = [today + timedelta(days=number) for number in range(-1, ahead + 1)]
    make = text("SELECT make_signal_day(:day)")
    return [day for day in days if session.scalar(make, {"day": day})]


def kept_days(pack: regions.PolicyPack) -> int:
    """Return how many days of the log are kept: a law that asks for more goes before."""
    return regions.kept_days(pack, LOG_RETENTION) or KEEP_DAYS


def keep_days(parts: Parts) -> list[date]:
    """Make the partitions of the next days and drop those past their time; return the dropped."""
    days = kept_days(regions.load_pack(parts.settings.region.jurisdiction))
    before = now().date() - timedelta(days=days)
    with parts.transaction() as session:
        make_days(session)
    with parts.transaction() as session:
        drop = text("SELECT drop_signal_days(:before)")
        dropped = list(session.scalars(drop, {"before": before}))
        if dropped:
            first, last = dropped[0].isoformat(), dropped[-1].isoformat()
            audit.record(session, "feed.log_dropped", first=first, last=last, kept_days=days)
            log.info(DROPPED(first=first, last=last, days=days))
    return dropped
