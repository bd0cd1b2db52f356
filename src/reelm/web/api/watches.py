"""How long videos were watched."""

from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import feed
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.paging import number_of
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer

MAX_MS = 7 * 24 * 3600 * 1000
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_MS)]


class WatchForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One watch of one video."""

    video_id: Id
    watched_ms: Milliseconds
    duration_ms: Milliseconds = 0
    loops: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    completed: bool = False
    muted: bool = False


class WatchesForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Watches since the last time."""

    watches: Annotated[list[WatchForm], Meta(max_length=feed.MAX_BATCH)]


def record_watches(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, body: WatchesForm
) -> None:
    """Take in watches; the same one sent twice counts once, unknown videos are passed over.

    When this has answered, the next page of the feed reflects them.
    """
    watches = [
        feed.Watched(number_of(told.video_id), told.watched_ms, told.loops) for told in body.watches
    ]
    settings = feed.feed_settings(session, parts, viewer_id=viewer.id, account_id=viewer.account_id)
    if settings.may_record:
        signals = feed.watches_of(
            session, viewer_id=viewer.id, account_id=viewer.account_id, watches=watches
        )
        outbox.need(*signals)
    else:
        feed.count_watches(session, account_id=viewer.account_id, watches=watches)
