"""The feed that learns: whether a process runs it, and how far its snapshot is behind the log."""

from datetime import timedelta
from typing import Any

from psycopg import Connection

from reelm.commands.doctor.check import Check, ok, warn
from reelm.commands.serve import is_served
from reelm.feed.log.appender import LOG_LOCK
from reelm.foundation.clock import now
from reelm.foundation.home import Home

NAME = "feed"
# Some minutes of replay at a start; a snapshot is made every two minutes where anything changed.
FAR_BEHIND = 5_000_000
OLD = timedelta(hours=1)
LOOK = "Look at what `reelm serve` prints; the feed without a profile is served meanwhile."

_STATE = """
    SELECT (SELECT coalesce(max(seq), 0) FROM signal),
        (SELECT count(*) FROM signal_default),
        coalesce((SELECT seq FROM ranker_snapshot ORDER BY id DESC LIMIT 1), 0),
        (SELECT made_at FROM ranker_snapshot ORDER BY id DESC LIMIT 1),
        EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid::bigint << 32 | objid::bigint = %s)
"""


def check_feed(connection: Connection[Any], home: Home) -> Check:
    """A served region has a process that runs it, and its snapshot is not far behind."""
    row = connection.execute(_STATE, [LOG_LOCK]).fetchone()
    if row is None:
        raise AssertionError("a query without FROM has a row")
    newest, outside, snapshot_seq, made_at, is_held = row
    behind = max(newest - snapshot_seq, 0)
    sentence = f"The log has {newest} signals, of which the newest snapshot misses {behind}"
    if made_at is not None:
        sentence += f"; it is {_age(now() - made_at)} old"
    sentence += "."
    if is_served(home) and not is_held:
        return warn(NAME, f"{sentence} No process runs the feed that learns.", LOOK)
    if is_served(home) and behind > FAR_BEHIND and (made_at is None or now() - made_at > OLD):
        return warn(NAME, sentence, LOOK)
    if outside:
        late = f"{sentence} {outside} signals are of days that have no partition."
        return warn(NAME, late, "The worker makes the days while the region is served.")
    return ok(NAME, sentence)


def _age(age: timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
