"""Forget all that was learned of a viewer.

The appender does it, in the order of the log: when it takes in a RESET it deletes all else that
the log holds of the viewer and the ranker forgets the viewer, so that nothing that was under way
comes after it. Opt-outs stay: a reset never switches recording or profiling on.
"""

from sqlalchemy import delete, func, or_, select, true, update
from sqlalchemy.orm import Session

from reelm.feed.hidden import sign_of
from reelm.feed.models import FeedSettings, HiddenSubject
from reelm.feed.settings import MIDDLE
from reelm.feed.signals import Kind, Signal


def reset(session: Session, *, viewer_id: int, also_hidden: bool) -> list[Signal]:
    """Put sliders, topics and languages back; return the signals that forget the rest.

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
    return forget_signals(session, viewer_id=viewer_id)


def forget_signals(session: Session, *, viewer_id: int) -> list[Signal]:
    """Return the signals by which log and ranker forget a viewer.

    What stays hidden is told anew, for the ranker that forgets the viewer forgets that too.
    """
    kept = session.execute(
        select(HiddenSubject.kind, HiddenSubject.subject)
        .where(HiddenSubject.viewer_id == viewer_id)
        .order_by(HiddenSubject.created_at)
    )
    hidden = [sign_of(viewer_id, row.kind, row.subject) for row in kept]
    return [Signal(viewer_id, 0, Kind.RESET), *hidden]
