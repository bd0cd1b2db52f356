"""Forget all that was learned of a viewer.

What is deleted here are the rows; who calls these has the ranker forget the viewer as well
(LiveFeed.forget), so that nothing tells the viewer from a new one. Opt-outs stay: a reset never
switches recording or profiling on.
"""

from sqlalchemy import delete, func, or_, select, true, update
from sqlalchemy.orm import Session

from reelm.feed.hidden import sign_of
from reelm.feed.models import FeedSettings, HiddenSubject, SignalRow
from reelm.feed.settings import MIDDLE
from reelm.feed.signals import Signal


def reset(session: Session, *, viewer_id: int, also_hidden: bool) -> list[Signal]:
    """Forget a viewer's log, sliders, topics and languages; return the signals to write after.

    Args:
        session: the transaction.
        viewer_id: whose.
        also_hidden: what is hidden is a wish and stays, unless the viewer wants it to go.
    """
    mine = FeedSettings.viewer_id == viewer_id
    opted_out = or_(FeedSettings.is_profiled.is_(False), FeedSettings.history_paused)
    session.execute(delete(FeedSettings).where(mine, ~opted_out))
    session.execute(
        update(FeedSettings)
        .where(mine)
        .values(
            is_profiled=func.nullif(FeedSettings.is_profiled, true()),
            newness=MIDDLE, variety=MIDDLE, following=MIDDLE, topics=[], languages=[],
        )
    )  # fmt: skip
    if also_hidden:
        session.execute(delete(HiddenSubject).where(HiddenSubject.viewer_id == viewer_id))
    return forget_log(session, viewer_id=viewer_id)


def forget_log(session: Session, *, viewer_id: int) -> list[Signal]:
    """Delete what the log holds of a viewer; return the signals to write after.

    What stays hidden is told anew, for the ranker that forgets the viewer forgets that too.
    """
    session.execute(delete(SignalRow).where(SignalRow.viewer_id == viewer_id))
    kept = session.execute(
        select(HiddenSubject.kind, HiddenSubject.subject)
        .where(HiddenSubject.viewer_id == viewer_id)
        .order_by(HiddenSubject.created_at)
    )
    return [sign_of(viewer_id, row.kind, row.subject) for row in kept]
