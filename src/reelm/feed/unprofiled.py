"""The non-profiled feed: nothing in it is made from what the viewer did.

Popular: what people watch to the end now, by the topic and language that the request names. The
function is not told who asks. What it needs to go on without repeats stands in the cursor: a
seed, the moment at which the reading began, and how far it came.

Following: all videos of followed creators, newest first (feed/following.py).
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from reelm.feed import popularity as ranking
from reelm.feed.popularity import Choice, Ints, Pool
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.videos.hashtags import MAX_HASHTAG

POPULAR, NEW, REST = "popular", "new", "rest"
_MAC_BYTES = 15
NOT_A_CURSOR = "This cursor is not one that this feed gave out; ask again without a cursor."


class PopularVideo(NamedTuple):
    """A video on a page, and the source it came from: popular, new or rest."""

    video_id: int
    source: str


@dataclass(frozen=True)
class PopularPage:
    """Videos to watch next, the cursor of the page after, and what was asked for."""

    videos: tuple[PopularVideo, ...]
    cursor: str
    seen_again: bool
    topic: str
    language: str


class _Reading(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How far a reading came: all that is known of it."""

    as_of_ms: int
    seed: int
    floor_id: int
    topic: str
    language: str
    popular_place: int = 0
    trial_place: int = 0
    rest_id: int = 0
    shown: int = 0
    is_again: bool = False


def popular(
    session: Session,
    region_key: bytes,
    *,
    limit: int,
    cursor: str | None = None,
    topic: str = "",
    language: str = "",
) -> PopularPage:
    """Return the next page of what is popular; the cursor alone says what was on those before.

    Args:
        session: for reading what everybody may see.
        region_key: signs the cursors.
        limit: most videos on the page.
        cursor: of the page before; None begins. It names the topic and the language.
        topic: a hashtag; empty for all.
        language: a language tag; empty for all.

    Raises:
        Invalid: the cursor was not given out by this region.
    """
    key = hmac.digest(region_key, b"reelm popular cursor", hashlib.sha256)
    if cursor is None:
        reading = _begin(session, Choice(_folded(topic), language))
    else:
        reading = _opened(key, cursor)
    page, after = _next(session, reading, limit)
    if not page and reading.shown:
        again = _begin(session, Choice(reading.topic, reading.language))
        page, after = _next(session, msgspec.structs.replace(again, is_again=True), limit)
    return PopularPage(
        tuple(page), _sealed(key, after), after.is_again, after.topic, after.language
    )


def _begin(session: Session, choice: Choice) -> _Reading:
    pool = ranking.pool_of(session, choice)
    return _Reading(
        as_of_ms=int(now().timestamp() * 1000),
        seed=secrets.randbits(32),
        floor_id=pool.floor_id,
        topic=choice.topic,
        language=choice.language,
        rest_id=pool.floor_id,
    )


def _next(session: Session, reading: _Reading, limit: int) -> tuple[list[PopularVideo], _Reading]:
    """Return the next page of a reading, and the reading after it."""
    choice = Choice(reading.topic, reading.language)
    pool = ranking.pool_of(session, choice)
    best, trial, order, lot = _ahead(pool, reading, limit)
    page, creators = list[PopularVideo](), list[int]()
    popular_place, trial_place, taken = reading.popular_place, reading.trial_place, [0, 0]
    while len(page) < limit and (taken[0] < len(best) or taken[1] < len(trial)):
        is_trial = (reading.shown + len(page)) % ranking.TRIAL_LOT == ranking.TRIAL_LOT - 1
        if taken[1] == len(trial) or (not is_trial and taken[0] < len(best)):
            at, source = int(best[taken[0]]), POPULAR
            popular_place, taken[0] = int(order[at]), taken[0] + 1
        else:
            at, source = int(trial[taken[1]]), NEW
            trial_place, taken[1] = int(lot[at]), taken[1] + 1
        page.append(PopularVideo(int(pool.ids[at]), source))
        creators.append(int(pool.creators[at]))
    rest_id = reading.rest_id
    if len(page) < limit and rest_id:
        rest = ranking.older(session, choice, before_id=rest_id, limit=limit - len(page))
        page += [PopularVideo(video_id, REST) for video_id, _ in rest]
        creators += [creator_id for _, creator_id in rest]
        rest_id = rest[-1][0] if rest else rest_id
    after = msgspec.structs.replace(
        reading, popular_place=popular_place, trial_place=trial_place, rest_id=rest_id,
        shown=reading.shown + len(page),
    )  # fmt: skip
    return _apart(page, creators), after


def _ahead(pool: Pool, reading: _Reading, limit: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return where in the pool the next popular and trial videos stand, and all places of both."""
    seed, as_of_ms = reading.seed, reading.as_of_ms
    open_ = (pool.published_ms <= as_of_ms) & (pool.ids >= reading.floor_id)
    drawn = ranking.on_trial(pool, seed=seed, as_of_ms=as_of_ms)
    order = ranking.places(pool, seed=seed, as_of_ms=as_of_ms)
    lot = ranking.trial_places(pool, seed=seed)
    best = _first(np.flatnonzero(open_ & ~drawn & (order > reading.popular_place)), order, limit)
    trial = _first(np.flatnonzero(open_ & drawn & (lot > reading.trial_place)), lot, limit)
    return best, trial, order, lot


def _first(candidates: Ints, places: Ints, limit: int) -> Ints:
    if len(candidates) > limit:
        nearest = np.argpartition(places[candidates], limit - 1)[:limit]
        candidates = candidates[nearest]
    return candidates[np.argsort(places[candidates])]


def _apart(page: Sequence[PopularVideo], creators: Sequence[int]) -> list[PopularVideo]:
    """Return the page with a creator's videos not beside each other, as far as that goes."""
    left, row, last = list(range(len(page))), list[int](), None
    while left:
        at = next((at for at in left if creators[at] != last), left[0])
        left.remove(at)
        row.append(at)
        last = creators[at]
    return [page[at] for at in row]


def _folded(topic: str) -> str:
    return topic.removeprefix("#").casefold()[:MAX_HASHTAG]


def _sealed(key: bytes, reading: _Reading) -> str:
    return _signed(key, msgspec.msgpack.encode(reading))


def _opened(key: bytes, cursor: str) -> _Reading:
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:
        raise Invalid(NOT_A_CURSOR) from None
    plain = raw[_MAC_BYTES:]
    # Written anew and compared whole: a cursor has one spelling only.
    if not hmac.compare_digest(cursor, _signed(key, plain)):
        raise Invalid(NOT_A_CURSOR)
    return msgspec.msgpack.decode(plain, type=_Reading)


def _signed(key: bytes, plain: bytes) -> str:
    mac = hmac.digest(key, plain, hashlib.sha256)[:_MAC_BYTES]
    return urlsafe_b64encode(mac + plain).decode().rstrip("=")
