"""How long videos were watched."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import accounts, feed
from reelm.feed.live import LiveFeed, Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import RateLimited, ReelmError
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
    if viewer.account_id is None:
        address = accounts.address_group(viewer.address)
        for refused in _count(parts, {address: len(body.watches)}).values():
            raise refused
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
        found = dict(zip(told, feed.watches_of_all(session, list(told.values())), strict=True))
    refused = _refused(parts, calls, told)
    taken = {at: signals for at, signals in found.items() if at not in refused}
    errors = dict(zip(taken, live.observe_all(list(taken.values())), strict=True))
    for at in told:
        error = refused.get(at) or errors[at]
        answers[at] = error or Answered(b"", people[at].new_id)
    return answers


def _refused(
    parts: Parts, calls: Sequence[Call], told: Mapping[int, feed.Told]
) -> dict[int, RateLimited]:
    """Return the refusals of those without an account whose address has told of too many."""
    addresses = {
        at: accounts.address_group(calls[at].address)
        for at, one in told.items()
        if one.account_id is None
    }
    numbers = Counter[str]()
    for at, address in addresses.items():
        numbers[address] += len(told[at].watches)
    refused = _count(parts, numbers)
    return {at: refused[address] for at, address in addresses.items() if address in refused}


def _count(parts: Parts, numbers: Mapping[str, int]) -> dict[str, RateLimited]:
    tries = {address: number for address, number in numbers.items() if number}
    return accounts.count_tries(parts, accounts.WATCH_ADDRESS, tries)


def _watched(body: WatchesForm) -> list[feed.Watched]:
    return [
        feed.Watched(number_of(told.video_id), told.watched_ms, told.loops) for told in body.watches
    ]
