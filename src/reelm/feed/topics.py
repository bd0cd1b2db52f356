"""The topics and languages to choose from: what the newest public videos are about."""

import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, Text, bindparam, func, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from reelm.feed.parameters import MOST
from reelm.regions import ANYWHERE
from reelm.social import visible_to
from reelm.videos.models import Video, VideoHashtag

# The newest videos that are counted, which bounds the cost; the same window as the popular feed's.
WINDOW = 20_000
KEPT_S = 60.0
MOST_TOPICS, MOST_LANGUAGES = 200, 100
# Languages whose topics are kept; beyond that the oldest go.
MOST_KEPT = 64


@dataclass(frozen=True)
class Used:
    """A hashtag or a language, and how many of the newest public videos have it."""

    name: str
    videos: int


@dataclass(frozen=True)
class Offer:
    """What can be chosen, the most used first."""

    topics: tuple[Used, ...]
    languages: tuple[Used, ...]


_kept: WeakKeyDictionary[Engine | Connection, dict[str, tuple[float, Offer]]] = WeakKeyDictionary()
_lock = threading.Lock()


def topics(session: Session, language: str = "") -> Offer:
    """Return the most used hashtags lately, of one language or all, and the languages there are."""
    with _lock:
        offers = _kept.setdefault(session.get_bind(), {})
        read_at, offer = offers.get(language, (-KEPT_S, None))
        if offer is not None and time.monotonic() - read_at < KEPT_S:
            return offer
    bound = {"language": language, "window": WINDOW}
    tags = session.execute(_tags(by_language=bool(language)), {**bound, "most": MOST_TOPICS})
    spoken = session.execute(_languages(), {**bound, "most": MOST_LANGUAGES})
    offer = Offer(tuple(Used(*row) for row in tags), tuple(Used(*row) for row in spoken))
    with _lock:
        offers[language] = (time.monotonic(), offer)
        while len(offers) > MOST_KEPT:
            del offers[min(offers, key=lambda name: offers[name][0])]
    return offer


def _newest(*, by_language: bool) -> Select[Any]:
    query = visible_to(None, Video.id, Video.language, country=ANYWHERE).order_by(Video.id.desc())
    if by_language:
        query = query.where(Video.language == bindparam("language", type_=Text))
    return query.limit(bindparam("window"))


@cache
def _tags(*, by_language: bool) -> Select[str, int]:
    newest = _newest(by_language=by_language).subquery()
    query: Select[str, int] = (
        select(VideoHashtag.tag, func.count().label("videos"))
        .join(newest, newest.c.id == VideoHashtag.video_id)
        .group_by(VideoHashtag.tag)
        .order_by(func.count().desc(), VideoHashtag.tag)
        .limit(MOST)
    )
    return query


@cache
def _languages() -> Select[Any]:
    newest = _newest(by_language=False).subquery()
    query: Select[Any] = (
        select(newest.c.language, func.count().label("videos"))
        .where(newest.c.language.is_not(None))
        .group_by(newest.c.language)
        .order_by(func.count().desc(), newest.c.language)
        .limit(MOST)
    )
    return query
