"""The topics and languages to choose from: what the newest public videos are about."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, select
from sqlalchemy.orm import Session

from reelm.feed.parameters import MOST
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


class Offers:
    """What can be chosen, kept for a minute and dropped when something is withheld or lifted.

    A video that is withheld anywhere is left out for everybody: one offer is for all.

    Args:
        may_keep: whether each change would be heard of, so that what is kept may be believed.
    """

    def __init__(self, may_keep: Callable[[], bool]) -> None:
        self._may_keep = may_keep
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Offer]] = {}
        # Counts changes heard of, so that what was read before one is not kept after it.
        self._heard = 0

    def on_change(self, kind: str, _number: int) -> None:
        """Hear of a change; only restrictions matter at once, a new video may wait a minute."""
        if kind == "subject":
            self.forget()

    def forget(self) -> None:
        """Ask the database again."""
        with self._lock:
            self._heard += 1
            self._kept.clear()

    def topics(self, session: Session, language: str = "") -> Offer:
        """Return the hashtags most used lately, of one language or all, and the languages."""
        read_at, kept = self._kept.get(language, (0.0, None))
        if kept is not None and time.monotonic() - read_at < KEPT_S and self._may_keep():
            return kept
        heard = self._heard
        offer = _read(session, language)
        with self._lock:
            if heard == self._heard:
                self._kept[language] = (time.monotonic(), offer)
            while len(self._kept) > MOST_KEPT:
                del self._kept[min(self._kept, key=lambda name: self._kept[name][0])]
        return offer


def _read(session: Session, language: str) -> Offer:
    bound = {"language": language, "window": WINDOW}
    tags = session.execute(_tags(by_language=bool(language)), {**bound, "most": MOST_TOPICS})
    spoken = session.execute(_languages(), {**bound, "most": MOST_LANGUAGES})
    return Offer(tuple(Used(*row) for row in tags), tuple(Used(*row) for row in spoken))


def _newest(*, by_language: bool) -> Select[Any]:
    query = visible_to(None, Video.id, Video.language).order_by(Video.id.desc())
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
