"""What the region has to show anybody: the best and the newest videos, kept for a moment.

One process keeps one catalogue for each open database. The feed asks the visibility rule again
for what it picks, so a stale catalogue can be late with a new video but never shows one that
was hidden or deleted meanwhile.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from reelm.feed.parameters import MOST, SINCE
from reelm.feed.score import score
from reelm.feed.spacing import Candidate
from reelm.foundation.clock import now
from reelm.social import visible_to
from reelm.social.models import VideoCount
from reelm.videos.models import Video, VideoHashtag

# The newest are looked up by index (7 ms for 500 of 100,000), so often that a new video is in
# the feeds after a second or two. The best need every row's counts (0.2 s at 100,000 videos,
# 1.8 s at a million, on a busy machine: benchmarks/catalogue.py) and change slowly.
FRESH_S, POPULAR_S = 2.0, 30.0
# Looking for the best may take this share of the time, however many videos there are.
POPULAR_SHARE = 0.02
FRESH, POPULAR, TRIALS = 500, 2000, 500
# A new video has had a fair trial after this many views, or when it is this old.
TRIAL_VIEWS, TRIAL_DAYS = 20, 7


@dataclass(frozen=True)
class Catalogue:
    """Candidates that are visible to everybody: all best first, and those still on trial."""

    ranked: tuple[Candidate, ...] = ()
    trial: tuple[Candidate, ...] = ()


@dataclass
class _Kept:
    catalogue: Catalogue | None = None
    popular: Sequence[Candidate] = ()
    trial: Sequence[Candidate] = ()
    fresh_until: float = 0.0
    popular_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_kept: WeakKeyDictionary[Engine | Connection, _Kept] = WeakKeyDictionary()
_kept_lock = threading.Lock()


def catalogue(session: Session) -> Catalogue:
    """Return the catalogue, read again where it has become too old.

    While one thread reads it the others go on with the one before.
    """
    with _kept_lock:
        kept = _kept.setdefault(session.get_bind(), _Kept())
    current = kept.catalogue
    if current is not None and time.monotonic() < kept.fresh_until:
        return current
    if not kept.lock.acquire(blocking=current is None):
        return current or Catalogue()
    try:
        return _read_again(session, kept)
    finally:
        kept.lock.release()


def candidate_columns() -> tuple[Any, ...]:
    """Return the columns of a Candidate, for a query that outer-joins VideoCount."""
    tags = (
        select(func.array_agg(VideoHashtag.tag))
        .where(VideoHashtag.video_id == Video.id)
        .scalar_subquery()
    )
    return (
        Video.id,
        Video.account_id,
        Video.sound_id,
        tags.label("tags"),
        func.coalesce(VideoCount.views, 0).label("views"),
        score().label("score"),
    )


def as_candidates(rows: Any, source: str) -> list[Candidate]:
    """Return rows of `candidate_columns` as candidates of a source."""
    return [
        Candidate(row[0], row[1], row[2], frozenset(row[3] or ()), row[4], float(row[5]), source)
        for row in rows
    ]


def _read_again(session: Session, kept: _Kept) -> Catalogue:
    if kept.catalogue is not None and time.monotonic() < kept.fresh_until:
        return kept.catalogue  # another thread has just read it
    began = time.monotonic()
    if began >= kept.popular_until:
        kept.popular = _popular(session)
        kept.trial = _trial(session)
        took_s = time.monotonic() - began
        kept.popular_until = began + max(POPULAR_S, took_s / POPULAR_SHARE)
    fresh = _fresh(session)
    new = [replace(c, source="explore") for c in fresh if c.views < TRIAL_VIEWS]
    kept.catalogue = Catalogue(
        ranked=tuple(sorted(_once(fresh, kept.popular), key=lambda c: c.score, reverse=True)),
        trial=tuple(_once(new, kept.trial)),
    )
    kept.fresh_until = time.monotonic() + FRESH_S
    return kept.catalogue


def _once(*lists: Sequence[Candidate]) -> list[Candidate]:
    # The first list wins: it was read last.
    return list({c.video_id: c for candidates in reversed(lists) for c in candidates}.values())


def _popular(session: Session) -> list[Candidate]:
    return _read(session, _BY_SCORE, POPULAR, "popular")


def _fresh(session: Session) -> list[Candidate]:
    return _read(session, _BY_TIME, FRESH, "fresh")


def _trial(session: Session) -> list[Candidate]:
    return _read(session, _ON_TRIAL, TRIALS, "explore")


def _read(session: Session, statement: Select[Any], most: int, source: str) -> list[Candidate]:
    moment = now()
    since = moment - timedelta(days=TRIAL_DAYS)
    bound = {"moment": moment, "since": since, "most": most}
    return as_candidates(session.execute(statement, bound), source)


_ALL = visible_to(None, *candidate_columns()).outerjoin(VideoCount, VideoCount.video_id == Video.id)
_BY_SCORE = _ALL.order_by(score().desc()).limit(MOST)
_BY_TIME = _ALL.order_by(Video.published_at.desc()).limit(MOST)
_ON_TRIAL = _BY_TIME.where(
    Video.published_at > SINCE, func.coalesce(VideoCount.views, 0) < TRIAL_VIEWS
)
