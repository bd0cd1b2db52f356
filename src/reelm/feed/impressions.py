"""What was shown to whom, written when it is given out."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.feed.models import Impression
from reelm.foundation.clock import now
from reelm.social import visible_to
from reelm.videos.models import Video

_TURN = 0x7265656C  # "reel": keeps our locks on viewers apart from other two-number locks
AGAIN = "again"


@dataclass(frozen=True)
class Shown:
    """A video on a page, and the source it came from."""

    video_id: int
    source: str


def take_turn(session: Session, viewer_id: int) -> None:
    """Let the requests of one viewer go one after the other until this transaction ends.

    Two tabs then never pick the same video, and never wait for each other in a circle.
    """
    key = func.hashint8(viewer_id)
    session.execute(select(func.pg_advisory_xact_lock(_TURN, key)))


def record(session: Session, viewer_id: int, batch_id: int, page: Sequence[Shown]) -> list[Shown]:
    """Write the impressions of a page and return those that are the viewer's first."""
    if not page:
        return []
    statement = insert(Impression).values(_rows(viewer_id, batch_id, page))
    first = set(session.scalars(statement.on_conflict_do_nothing().returning(Impression.video_id)))
    return [shown for shown in page if shown.video_id in first]


def record_again(session: Session, viewer_id: int, batch_id: int, page: Sequence[Shown]) -> None:
    """Write that videos seen before are shown once more."""
    if not page:
        return
    statement = insert(Impression).values(_rows(viewer_id, batch_id, page))
    changed = {
        name: statement.excluded[name] for name in ("batch_id", "position", "source", "shown_at")
    }
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Impression.viewer_id, Impression.video_id], set_=changed
        )
    )


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


def _rows(viewer_id: int, batch_id: int, page: Sequence[Shown]) -> list[dict[str, object]]:
    moment = now()
    return [
        {
            "viewer_id": viewer_id,
            "video_id": shown.video_id,
            "batch_id": batch_id,
            "position": position,
            "source": shown.source,
            "shown_at": moment,
        }
        for position, shown in enumerate(page)
    ]
