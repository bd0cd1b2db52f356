"""A log of views in a folder: events.parquet, videos.parquet and, if there, history.parquet.

The format is that of KuaiRand-Pure as docs/evaluate.md tells it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reelm.feed.evaluate.columns import Batch, Column, Table
from reelm.feed.ranker import VideoFacts
from reelm.foundation.errors import Invalid

_USER, _VIDEO, _TIME = Column("user_id"), Column("video_id"), Column("time_ms")
# In the order of Event's fields.
_EVENTS = (
    _USER,
    _VIDEO,
    _TIME,
    Column("play_time_ms"),
    Column("duration_ms"),
    Column("surface", is_optional=True),
    Column("long_view", largest=1),
    *(
        Column(name, is_optional=True, largest=1)
        for name in (
            "is_like",
            "is_follow",
            "is_comment",
            "is_forward",
            "is_hate",
            "is_profile_enter",
        )
    ),
)
_NUMBERS = (
    Column("author_id", is_optional=True, absent=-1),  # 0 is an author
    Column("music_id", is_optional=True),
    Column("duration_ms", is_optional=True),
)
_LAST_TIME = Column("last_time_ms")
_LISTS = ("watch_seq", "long_watch_seq", "like_seq")
# How a log says that it does not know a video's topic.
_NO_TAG = "unknown"


class Event(NamedTuple):
    """One impression and what became of it; outcomes are 0 or 1."""

    user_id: int
    video_id: int
    time_ms: int
    play_time_ms: int
    duration_ms: int
    surface: int
    long_view: int
    is_like: int = 0
    is_follow: int = 0
    is_comment: int = 0
    is_forward: int = 0
    is_hate: int = 0
    is_profile_enter: int = 0


class Past(NamedTuple):
    """What a viewer did before the events: ids of videos, oldest first."""

    user_id: int
    last_time_ms: int
    watched: list[int]
    watched_long: list[int]
    liked: list[int]


class Log:
    """The three files, opened and found to have what is needed."""

    def __init__(self, folder: Path) -> None:
        """Open the files.

        Raises:
            Invalid: a file or column is missing or broken, or there is no event.
        """
        if not folder.is_dir():
            raise Invalid(f"{folder} is not a folder; give one with events.parquet in it.")
        self._events = Table(
            folder / "events.parquet", [c.name for c in _EVENTS if not c.is_optional]
        )
        self._videos = Table(folder / "videos.parquet", [_VIDEO.name])
        past = folder / "history.parquet"
        self._past = Table(past, [_USER.name, _LAST_TIME.name]) if past.exists() else None
        self.count = self._events.rows
        if not self.count:
            raise Invalid(f"{folder / 'events.parquet'} has no events.")
        self.last_time_ms = self._events.last(_TIME)

    def events(self) -> Iterator[Event]:
        """Yield the events, which have to be in time order.

        Raises:
            Invalid: an event is malformed or earlier than the one before it.
        """
        before_ms = 0
        for batch in self._events.batches([column.name for column in _EVENTS]):
            columns = [batch.integers(column) for column in _EVENTS]
            times = columns[2]
            backward = np.diff(times, prepend=before_ms) < 0
            if backward.any():
                at = int(backward.argmax())
                what = f"time_ms is {times[at]}, earlier than in the row before"
                raise batch.error(at, f"{what}; sort the events by time")
            if len(times):
                before_ms = int(times[-1])
            yield from map(Event._make, zip(*(c.tolist() for c in columns), strict=True))

    def videos(self) -> Iterator[VideoFacts]:
        """Yield what is known of each video before anybody watches it; ids are the file's.

        Raises:
            Invalid: a video is malformed or there twice.
        """
        seen: set[int] = set()
        names = [_VIDEO.name, *(column.name for column in _NUMBERS), "tag", "upload_dt"]
        for batch in self._videos.batches(names):
            for at, facts in enumerate(_facts(batch)):
                if facts.video_id in seen:
                    raise batch.error(at, f"video_id {facts.video_id} is there twice")
                seen.add(facts.video_id)
                yield facts

    def past(self) -> Iterator[Past]:
        """Yield what each viewer did before the events, if the folder tells.

        Raises:
            Invalid: a row is malformed.
        """
        if self._past is None:
            return
        for batch in self._past.batches([_USER.name, _LAST_TIME.name, *_LISTS]):
            users, times = batch.integers(_USER), batch.integers(_LAST_TIME)
            lists = (batch.lists(name) for name in _LISTS)
            yield from map(Past._make, zip(users.tolist(), times.tolist(), *lists, strict=True))


def _facts(batch: Batch) -> Iterator[VideoFacts]:
    ids = batch.integers(_VIDEO).tolist()
    creators, sounds, durations = (batch.integers(column).tolist() for column in _NUMBERS)
    tags, days = batch.words("tag"), batch.words("upload_dt")
    for at, video_id in enumerate(ids):
        try:
            published_ms = _published_ms(days[at])
        except ValueError:
            raise batch.error(at, f"upload_dt is {days[at]!r}, not a day as 2022-04-10") from None
        yield VideoFacts(
            video_id,
            creators[at],
            tags=tuple(tag for tag in tags[at].split(",") if tag and tag != _NO_TAG),
            sound_id=sounds[at],
            duration_ms=durations[at],
            published_ms=published_ms,
        )


@cache
def _published_ms(day: str) -> int:
    """Return the day's beginning in UTC; 0 where the day is not told."""
    if not day:
        return 0
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
