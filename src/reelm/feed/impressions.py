"""What was shown to whom, written when it is given out."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from reelm.feed.models import Impression
from reelm.foundation.clock import now
from reelm.foundation.errors import RateLimited
from reelm.social import visible_to
from reelm.videos.models import Video

_TURN = 0x7265656C  # "reel": keeps our locks on viewers apart from other two-number locks
AGAIN = "again"
LONGEST_TURN_MS = 3_000


@dataclass(frozen=True)
class Shown:
    """A video on a page, and the source it came from."""

    video_id: int
    source: str


def take_turn(session: Session, viewer_id: int) -> None:
    """Let the requests of one viewer go one after the other until this transaction ends.

    Two tabs then never pick the same video, and never wait for each other in a circle.

    Raises:
        RateLimited: the viewer's other requests take too long; each that waits holds a thread and
            a connection that other viewers need.
    """
    key = func.hashint8(viewer_id)
    try:
        session.execute(text(f"SET LOCAL lock_timeout = {LONGEST_TURN_MS}"))
        session.execute(select(func.pg_advisory_xact_lock(_TURN, key)))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            sentence = "You are asking for many pages of the feed at once; wait a moment."
            raise RateLimited(sentence, retry_after_s=1) from error
        raise


def record(session: Session, viewer_id: int, batch_id: int, page: Sequence[Shown]) -> list[Shown]:
    """Write the impressions of a page and return those that are the viewer's first."""
    if not page:
        return []
    first = set(session.scalars(_FIRST, _bound(viewer_id, batch_id, page)))
    return [shown for shown in page if shown.video_id in first]


def record_again(session: Session, viewer_id: int, batch_id: int, page: Sequence[Shown]) -> None:
    """Write that videos seen before are shown once more."""
    if page:
        session.execute(_AGAIN, _bound(viewer_id, batch_id, page))


def batch(session: Session, viewer_id: int, batch_id: int) -> list[Shown]:
    """Return the page that was given out as this batch, in its order."""
    rows = session.execute(
        select(Impression.video_id, Impression.source)
        .where(Impression.viewer_id == viewer_id, Impression.batch_id == batch_id)
        .order_by(Impression.position)
    )
    return [Shown(*row) for row in rows]


def oldest(session: Session, viewer_id: int, account_id: int | None, limit: int) -> list[Shown]:
    """Return the videos that the viewer saw longest ago and may still see."""
    query = (
        visible_to(account_id, Video.id)
        .join(Impression, (Impression.video_id == Video.id) & (Impression.viewer_id == viewer_id))
        .order_by(Impression.shown_at, Impression.position)
        .limit(limit)
    )
    return [Shown(video_id, AGAIN) for video_id in session.scalars(query)]


def _bound(viewer_id: int, batch_id: int, page: Sequence[Shown]) -> dict[str, object]:
    return {
        "viewer_id": viewer_id,
        "batch_id": batch_id,
        "video_ids": [shown.video_id for shown in page],
        "sources": [shown.source for shown in page],
        "moment": now(),
    }


# One text whatever the length of the page: built by rows it took 3 ms of Python each time.
_INSERT = """
    INSERT INTO impression (viewer_id, video_id, batch_id, position, source, shown_at)
    SELECT :viewer_id, video_id, :batch_id, place - 1, source, :moment
    FROM unnest(CAST(:video_ids AS bigint[]), CAST(:sources AS text[]))
        WITH ORDINALITY AS page (video_id, source, place)
"""
_FIRST = text(_INSERT + "ON CONFLICT DO NOTHING RETURNING video_id")
_AGAIN = text(
    _INSERT
    + """ON CONFLICT (viewer_id, video_id) DO UPDATE SET batch_id = excluded.batch_id,
    position = excluded.position, source = excluded.source, shown_at = excluded.shown_at"""
)
