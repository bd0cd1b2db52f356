"""What a viewer has watched, as the log tells it; each video can be taken out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from reelm import social
from reelm.feed.models import SignalRow
from reelm.feed.signals import Kind, Signal


@dataclass(frozen=True)
class WatchedVideo:
    """A video, and when and how long it was watched last; `card` is None where it is gone."""

    video_id: int
    card: social.Card | None
    watched_at: datetime
    watched_ms: int
    long_view: bool


@dataclass(frozen=True)
class History:
    """Watched videos, and where the page after begins; None on the last."""

    videos: tuple[WatchedVideo, ...]
    before_seq: int | None


def history(
    session: Session,
    *,
    viewer_id: int,
    account_id: int | None,
    limit: int,
    before_seq: int | None = None,
    country: str | None = None,
) -> History:
    """Return what a viewer watched, the last first, each video once."""
    last = (
        select(SignalRow)
        .ext(distinct_on(SignalRow.video_id))
        .where(SignalRow.viewer_id == viewer_id, SignalRow.kind == Kind.WATCH)
        .order_by(SignalRow.video_id, SignalRow.seq.desc())
        .subquery()
    )
    query = select(
        last.c.seq, last.c.video_id, last.c.at, last.c.watched_ms, last.c.long_view
    ).order_by(last.c.seq.desc())
    if before_seq is not None:
        query = query.where(last.c.seq < before_seq)
    rows = session.execute(query.limit(limit + 1)).all()
    cards = _cards(session, account_id, country, [row.video_id for row in rows[:limit]])
    watched = tuple(
        WatchedVideo(row.video_id, cards.get(row.video_id), row.at, row.watched_ms, row.long_view)
        for row in rows[:limit]
    )
    return History(watched, rows[limit - 1].seq if len(rows) > limit else None)


def forget_watched(session: Session, *, viewer_id: int, video_id: int) -> list[Signal]:
    """Delete all that the log tells of a viewer and a video; return the signals to write.

    Deleting again is told again: the time before may not have reached the ranker.
    """
    session.execute(
        delete(SignalRow).where(SignalRow.viewer_id == viewer_id, SignalRow.video_id == video_id)
    )
    return [Signal(viewer_id, video_id, Kind.FORGET_WATCH)]


def _cards(
    session: Session, account_id: int | None, country: str | None, video_ids: Sequence[int]
) -> dict[int, social.Card]:
    return {card.id: card for card in social.cards(session, account_id, video_ids, country)}
