"""How long videos were watched."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import feed
from reelm.feed.live import LiveFeed, Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import ReelmError
from reelm.foundation.parts import Parts
from reelm.web.api.paging import number_of
from reelm.web.endpoint import Id
from reelm.web.viewer import Answered, Call, Viewer, people_of

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
    told = feed.Told(viewer.id, viewer.account_id, _watched(body), viewer.country)
    settings = feed.feed_settings(session, parts, viewer_id=viewer.id, account_id=viewer.account_id)
    if settings.may_record:
        outbox.need(*feed.watches_of(session, told))
    else:
        feed.count_watches(session, told)


def record_together(
    parts: Parts, live: LiveFeed, calls: Sequence[Call]
) -> list[Answered | ReelmError | None]:
    """Take in watches as `record_watches` does, of several viewers; None where it has to itself."""
    answers = list[Answered | ReelmError | None]([None] * len(calls))
    with parts.transaction() as session:
        people = people_of(session, parts, calls)
        told = {
            at: feed.Told(
                one.viewer_id, one.account_id, _watched(call.arguments["body"]), one.country
            )
            for at, (call, one) in enumerate(zip(calls, people, strict=True))
            if one.settings.may_record
        }
        found = feed.watches_of_all(session, list(told.values()))
    for at, error in zip(told, live.observe_all(found), strict=True):
        answers[at] = error or Answered(b"", people[at].new_id)
    return answers


def _watched(body: WatchesForm) -> list[feed.Watched]:
    return [
        feed.Watched(number_of(told.video_id), told.watched_ms, told.loops) for told in body.watches
    ]
