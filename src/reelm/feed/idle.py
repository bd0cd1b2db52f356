"""Anonymous viewers are known for one session only: forgotten when they have been idle."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from threading import Lock

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from reelm.accounts.models import ErasedAccount
from reelm.feed.models import SignalRow
from reelm.foundation.clock import now
from reelm.foundation.database.prepared import as_array
from reelm.foundation.parts import Parts

# A pause in one evening; whoever comes back later begins anew.
ANONYMOUS_IDLE = timedelta(hours=2)
# Days of the log that each hour's look reads; the look of each night reads them all.
LATELY_DAYS = 2
AT_ONCE = 5_000


class Active:
    """When each viewer was active last, in memory, to find those who are idle.

    Only viewers of the last hours are in it. Not safe for threads: its owner locks.
    """

    def __init__(self) -> None:
        self._last_ms: dict[int, int] = {}

    def note(self, viewer_id: int, at_ms: int) -> None:
        """Take in that a viewer is active."""
        self._last_ms[viewer_id] = at_ms

    def forget(self, viewer_id: int) -> None:
        """Forget a viewer."""
        self._last_ms.pop(viewer_id, None)

    def take_idle(self, now_ms: int) -> list[int]:
        """Return those who have been idle for long enough, once."""
        before = now_ms - int(ANONYMOUS_IDLE.total_seconds() * 1000)
        idle = [viewer_id for viewer_id, last_ms in self._last_ms.items() if last_ms < before]
        for viewer_id in idle:
            del self._last_ms[viewer_id]
        return idle


def drop(parts: Parts, lock: Lock, active: Active, forget: Callable[[int], None]) -> int:
    """Forget the anonymous viewers who have been idle, in the log and by `forget`; return how many.

    Args:
        parts: the open region.
        lock: held while `active` and `forget` are used.
        active: who was active when.
        forget: forgets a viewer in memory.
    """
    with lock:
        idle = active.take_idle(time.time_ns() // 1_000_000)
    dropped = 0
    for begin in range(0, len(idle), AT_ONCE):
        with parts.transaction() as session:
            gone = without_account(session, idle[begin : begin + AT_ONCE])
            delete_log(session, gone)
        dropped += len(gone)
        with lock:
            for viewer_id in gone:
                forget(viewer_id)
    return dropped


def note_without_account(parts: Parts, lock: Lock, active: Active, viewers: Sequence[int]) -> None:
    """Take in when those of the viewers were active last who have no account."""
    for begin in range(0, len(viewers), AT_ONCE):
        with parts.transaction() as session:
            gone = without_account(session, viewers[begin : begin + AT_ONCE])
            last_ms = last_active(session, gone)
        with lock:
            for viewer_id in gone:
                active.note(viewer_id, last_ms.get(viewer_id, 0))


def without_account(session: Session, viewer_ids: Sequence[int]) -> list[int]:
    """Return those of the viewers who have no account, or one that is being erased."""
    return list(session.scalars(_WITHOUT_ACCOUNT, {"viewers": as_array(viewer_ids)}))


def last_active(session: Session, viewer_ids: Sequence[int]) -> dict[int, int]:
    """Return when viewers were last active, in ms since 1970, as the last days' log tells.

    Of the erased nothing is returned, even where their rows are still being deleted.
    """
    since = now().date() - timedelta(days=LATELY_DAYS)
    rows = session.execute(
        select(SignalRow.viewer_id, func.max(SignalRow.at))
        .where(SignalRow.viewer_id.in_(viewer_ids), SignalRow.day >= since)
        .where(~exists().where(ErasedAccount.account_id == SignalRow.viewer_id))
        .group_by(SignalRow.viewer_id)
    )
    return {row[0]: int(row[1].timestamp() * 1000) for row in rows}


def delete_log(session: Session, viewer_ids: Iterable[int]) -> None:
    """Delete all that the log holds of some viewers."""
    statement = text("DELETE FROM signal WHERE viewer_id = ANY(CAST(:viewers AS bigint[]))")
    session.execute(statement, {"viewers": as_array(viewer_ids)})


def forget_idle(parts: Parts, *, whole_log: bool = False) -> int:
    """Delete what idle anonymous viewers left in the log; return how many rows.

    The process that holds the ranker does so by itself; this finds what one that was killed or
    stopped has left.
    """
    moment = now()
    lately = moment.date() - timedelta(days=LATELY_DAYS)
    bound = {"idle": moment - ANONYMOUS_IDLE, "lately": lately}
    with parts.transaction() as session:
        deleted = len(session.execute(_IDLE_LATELY, bound).all())
    if not whole_log:
        return deleted
    with parts.transaction() as session:
        days = session.scalars(select(SignalRow.day).where(SignalRow.day < lately).distinct()).all()
    for day in days:
        with parts.transaction() as session:
            deleted += len(session.execute(_OLD, {"day": day}).all())
    return deleted


_WITHOUT_ACCOUNT = text("""
    SELECT viewer_id FROM unnest(CAST(:viewers AS bigint[])) AS asked (viewer_id)
    WHERE NOT EXISTS (SELECT FROM account WHERE id = viewer_id)
        OR EXISTS (SELECT FROM erased_account WHERE account_id = viewer_id)
""")
_IDLE_LATELY = text("""
    DELETE FROM signal USING (
        SELECT viewer_id FROM signal WHERE day >= :lately
            AND NOT EXISTS (SELECT FROM account WHERE id = viewer_id)
        GROUP BY viewer_id HAVING max(at) < :idle
    ) AS idle
    WHERE signal.viewer_id = idle.viewer_id
    RETURNING 1
""")
_OLD = text("""
    DELETE FROM signal WHERE day = :day
        AND NOT EXISTS (SELECT FROM account WHERE id = viewer_id)
    RETURNING 1
""")
