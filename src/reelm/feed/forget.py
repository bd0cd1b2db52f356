"""Forget what viewers were shown and watched: on request, and of anonymous ones when idle."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from reelm import regions
from reelm.accounts.models import Account
from reelm.feed.models import Impression, Watch
from reelm.feed.moments import first_id_at
from reelm.foundation.clock import now
from reelm.foundation.parts import Parts

# As long as the anonymous viewer's cookie lives: after that nobody can come back as this viewer.
# A policy pack that states a retention of impressions goes before.
IDLE_DAYS = 30
# Viewers in one transaction: some 100,000 rows, a second or two.
BATCH = 500


def forget_viewer(session: Session, viewer_id: int) -> None:
    """Delete all impressions and watches of a viewer."""
    _forget(session, [viewer_id])


def forget_idle(parts: Parts) -> int:
    """Delete what anonymous viewers left who did not come back in time; return how many."""
    cutoff = now() - timedelta(days=_idle_days(parts))
    after, forgotten = 0, 0
    while True:
        with parts.transaction() as session:
            seen = _anonymous(session, after, cutoff)
            idle = [viewer_id for viewer_id, last in seen if last < cutoff]
            _forget(session, idle)
        forgotten += len(idle)
        if not seen:
            return forgotten
        after = seen[-1][0]


def _idle_days(parts: Parts) -> int:
    pack = regions.load_pack(parts.settings.region.jurisdiction)
    return pack.impression_retention_days.value or IDLE_DAYS


def _anonymous(session: Session, after: int, cutoff: datetime) -> list[tuple[int, datetime]]:
    """Return the next anonymous viewers made before `cutoff`, and when each was last shown one."""
    query = (
        select(Impression.viewer_id, func.max(Impression.shown_at))
        .where(Impression.viewer_id > after, Impression.viewer_id < first_id_at(cutoff))
        .where(~exists().where(Account.id == Impression.viewer_id))
        .group_by(Impression.viewer_id)
        .order_by(Impression.viewer_id)
        .limit(BATCH)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _forget(session: Session, viewer_ids: list[int]) -> None:
    session.execute(delete(Impression).where(Impression.viewer_id.in_(viewer_ids)))
    session.execute(delete(Watch).where(Watch.viewer_id.in_(viewer_ids)))
