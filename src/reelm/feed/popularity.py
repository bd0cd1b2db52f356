"""What people watch to the end now, by topic and language: the same for everybody.

Nothing in this file knows of viewers. The order of videos depends on their own counts and ages and
on a seed: whoever has the seed and the moment at which a reading began can go on reading at any
place, so the service need not remember who has read what.
"""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, Text, bindparam, func
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from reelm.feed.parameters import BEFORE, MOST
from reelm.regions import ANYWHERE
from reelm.social import visible_to
from reelm.social.models import VideoCount
from reelm.videos.models import Video, VideoHashtag

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# The newest videos of a choice that are ordered by how much they are watched; older ones follow
# by age. It bounds what one choice costs, whatever the size of the catalogue.
POOL = 10_000
# Counts are read again after so long, and reading them takes at most this share of the time.
POOL_S, POOL_SHARE = 20.0, 0.02
# Choices kept at once: each is at most 320 kB.
CHOICES = 64
# Attention to a post falls about as a power of its age; the exponent is the starting point of
# well-known news sites' rankings, rounded down because videos live longer than news.
HALF_AGE_H, GRAVITY = 48.0, 1.5
# Videos within a quarter of each other are as popular as each other: chance orders them.
TIE = 1.25
# Of the videos this new, one in so many is drawn for a trial that owes nothing to its counts.
TRIAL_DAYS, TRIAL_LOT = 7, 5

_LEVELS, _CHANCE_BITS = 512, 48


class Choice(NamedTuple):
    """What was asked for: a hashtag and a language; empty for all."""

    topic: str = ""
    language: str = ""


class Pool(NamedTuple):
    """The newest public videos of a choice, as columns."""

    ids: Ints
    creators: Ints
    completions: Ints
    published_ms: Ints

    @property
    def floor_id(self) -> int:
        """The id below which the catalogue goes on outside this pool; 0 where it does not."""
        return int(self.ids.min()) if len(self.ids) == POOL else 0


@dataclass
class _Kept:
    pool: Pool | None = None
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_kept: WeakKeyDictionary[Engine | Connection, OrderedDict[Choice, _Kept]] = WeakKeyDictionary()
_kept_lock = threading.Lock()


def pool_of(session: Session, choice: Choice) -> Pool:
    """Return the newest public videos of a choice, some seconds old at most.

    While one thread reads them again the others go on with what was read before.
    """
    kept = _place_for(session.get_bind(), choice)
    if kept.pool is not None and time.monotonic() < kept.until:
        return kept.pool
    if not kept.lock.acquire(blocking=kept.pool is None) and kept.pool is not None:
        return kept.pool
    try:
        if kept.pool is None or time.monotonic() >= kept.until:
            began = time.monotonic()
            kept.pool = _read(session, choice)
            kept.until = began + max(POOL_S, (time.monotonic() - began) / POOL_SHARE)
        return kept.pool
    finally:
        kept.lock.release()


def places(pool: Pool, *, seed: int, as_of_ms: int) -> Ints:
    """Return the place of each video in an order by popularity, ties by chance; small is first.

    Counts only grow and the moment stands still, so a video's place can only become smaller: one
    that was passed is never met again further down.
    """
    age_h = np.maximum(as_of_ms - pool.published_ms, 0) / 3_600_000
    popularity = (pool.completions + 1) / (1 + age_h / HALF_AGE_H) ** GRAVITY
    level = np.floor(np.log(popularity) / math.log(TIE)).astype(np.int64)
    level = np.clip(level, -_LEVELS, _LEVELS - 1)
    return ((_LEVELS - level) << _CHANCE_BITS) | _chance(pool.ids, seed)


def on_trial(pool: Pool, *, seed: int, as_of_ms: int) -> Bools:
    """Return which videos are drawn for a trial under this seed."""
    is_new: Bools = as_of_ms - pool.published_ms < TRIAL_DAYS * 86_400_000
    is_drawn: Bools = _chance(pool.ids, seed + 1) % TRIAL_LOT == 0
    return is_new & is_drawn


def trial_places(pool: Pool, *, seed: int) -> Ints:
    """Return the place of each video in an order by chance alone."""
    return _chance(pool.ids, seed + 2) + 1


def older(session: Session, choice: Choice, *, before_id: int, limit: int) -> list[tuple[int, int]]:
    """Return ids and creators of a choice's public videos before an id, newest first."""
    statement = _statement(by_topic=bool(choice.topic), by_language=bool(choice.language))
    rows = session.execute(statement, _bound(choice, before_id, limit))
    return [(row.id, row.account_id) for row in rows]


def _place_for(bind: Engine | Connection, choice: Choice) -> _Kept:
    with _kept_lock:
        choices = _kept.setdefault(bind, OrderedDict())
        kept = choices.setdefault(choice, _Kept())
        choices.move_to_end(choice)
        while len(choices) > CHOICES:
            choices.popitem(last=False)
        return kept


def _read(session: Session, choice: Choice) -> Pool:
    statement = _statement(by_topic=bool(choice.topic), by_language=bool(choice.language))
    rows = session.execute(statement, _bound(choice, (1 << 63) - 1, POOL)).all()
    columns = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 4).T
    return Pool(*(np.ascontiguousarray(column) for column in columns))


def _chance(ids: Ints, seed: int) -> Ints:
    """Return 48 bits for each id that look random and follow from id and seed (splitmix64)."""
    mixed = ids.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15) & ((1 << 64) - 1))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - _CHANCE_BITS)).astype(np.int64)


def _bound(choice: Choice, before_id: int, most: int) -> dict[str, Any]:
    return {**choice._asdict(), "before": before_id, "most": most}


@cache
def _statement(*, by_topic: bool, by_language: bool) -> Select[Any]:
    published_ms = func.coalesce(func.extract("epoch", Video.published_at) * 1000, 0)
    query = visible_to(
        None,
        Video.id,
        Video.account_id,
        func.coalesce(VideoCount.completions, 0).label("completions"),
        func.floor(published_ms).label("published_ms"),
        country=ANYWHERE,
    ).outerjoin(VideoCount, VideoCount.video_id == Video.id)
    newest: Any = Video.id
    if by_topic:
        newest = VideoHashtag.video_id
        query = query.join(VideoHashtag, VideoHashtag.video_id == Video.id)
        query = query.where(VideoHashtag.tag == bindparam("topic", type_=Text))
    if by_language:
        query = query.where(Video.language == bindparam("language", type_=Text))
    return query.where(newest < BEFORE).order_by(newest.desc()).limit(MOST)
