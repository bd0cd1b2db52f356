"""What one has watched, and forgetting it: one video, all, or all that was learned."""

from datetime import datetime

import msgspec

from reelm import feed
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.paging import Cursor, PageSize, number_of
from reelm.web.api.shapes import Video, video_of
from reelm.web.viewer import Viewer


class WatchedEntry(msgspec.Struct, frozen=True):
    """A video at its last watch; `video` is null where it cannot be seen any more."""

    video_id: str
    video: Video | None
    watched_at: datetime
    watched_ms: int
    long_view: bool


class History(msgspec.Struct, frozen=True):
    """Watched videos, the last first, each once; the cursor leads to older ones."""

    watches: list[WatchedEntry]
    cursor: str | None
    history_paused: bool


class ResetForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what was hidden is forgotten too; it is a wish and stays otherwise."""

    also_hidden: bool = False


def read_history(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: Cursor | None = None,
    limit: PageSize = 30,
) -> History:
    """List what one has watched, as far as the log still holds it."""
    settings = feed.feed_settings(session, parts, viewer_id=viewer.id, account_id=viewer.account_id)
    found = feed.history(
        session,
        viewer_id=viewer.id,
        account_id=viewer.account_id,
        country=viewer.country,
        limit=limit,
        before_seq=number_of(cursor),
    )
    return History(
        [_entry(watched) for watched in found.videos],
        None if found.before_seq is None else str(found.before_seq),
        settings.history_paused,
    )


def forget_watched(session: Session, viewer: Viewer, outbox: Outbox, video_id: int) -> None:
    """Delete one video from one's history, and what was learned from it."""
    outbox.need(*feed.forget_watched(session, viewer_id=viewer.id, video_id=video_id))


def forget_history(session: Session, viewer: Viewer, outbox: Outbox) -> None:
    """Delete one's whole history and what was learned from it; what was chosen stays."""
    outbox.need(*feed.forget_signals(session, viewer_id=viewer.id))


def reset(session: Session, viewer: Viewer, outbox: Outbox, body: ResetForm) -> None:
    """Forget all that was learned of one, and put sliders, topics and languages back."""
    outbox.need(*feed.reset(session, viewer_id=viewer.id, also_hidden=body.also_hidden))


def _entry(watched: feed.WatchedVideo) -> WatchedEntry:
    return WatchedEntry(
        str(watched.video_id),
        None if watched.card is None else video_of(watched.card),
        watched.watched_at,
        watched.watched_ms,
        watched.long_view,
    )
