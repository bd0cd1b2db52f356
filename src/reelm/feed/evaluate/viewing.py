"""The signals that a viewer of the product sends: from an event of a log, and from a history.

Ids of a log may be 0, which in a signal says that there is none: all are moved up by one.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from reelm.feed.evaluate.log import Event, Past
from reelm.feed.ranker import VideoFacts
from reelm.feed.signals import SURFACES, Kind, Signal

# A history tells when the newest view was; each older one is put so much before the next.
STEP_MS = 1000
CHUNK_VIEWS = 16_384


def facts_of(facts: VideoFacts) -> VideoFacts:
    """Return a video's facts under its id in signals."""
    return facts._replace(video_id=facts.video_id + 1, creator_id=facts.creator_id + 1)


def signals_of(event: Event, creator_id: int, seq: int) -> list[Signal]:
    """Return what a viewer sends in one view.

    Args:
        event: the view.
        creator_id: of the video, as signals name it; 0 where it is not known.
        seq: place in the log of the first signal.
    """
    viewer_id, video_id, at_ms = event.user_id + 1, event.video_id + 1, event.time_ms
    surface = event.surface % SURFACES
    # In the order of the product: what is done at a video comes before it is left, and then the
    # watch is told.
    told = [(Kind.IMPRESSION, "")]
    if any(event[7:]):
        about = str(creator_id) if creator_id else ""
        acts = (
            (event.is_like, Kind.LIKE, ""),
            (event.is_follow and about, Kind.FOLLOW, about),
            (event.is_comment, Kind.COMMENT_OPENED, ""),
            (event.is_forward, Kind.SHARE, ""),
            (event.is_hate, Kind.NOT_INTERESTED, ""),
            (event.is_profile_enter and about, Kind.PROFILE_VISIT, about),
        )
        told += [(kind, subject) for happened, kind, subject in acts if happened]
    signals = [
        Signal(viewer_id, video_id, kind, at_ms, place, surface=surface, subject=subject)
        for place, (kind, subject) in enumerate(told, seq)
    ]
    watch = Signal(
        viewer_id,
        video_id,
        Kind.WATCH,
        at_ms,
        seq + len(signals),
        watched_ms=event.play_time_ms,
        duration_ms=event.duration_ms,
        long_view=event.long_view == 1,
        surface=surface,
    )
    return [*signals, watch]


class Remembered(NamedTuple):
    """One view of a history, in the ids of signals; the last three are 0 or 1."""

    at_ms: int
    viewer_id: int
    video_id: int
    is_watched: int
    is_long: int
    is_liked: int


class Memories:
    """All views of all histories: the oldest of everybody first, the newest of everybody last.

    A history tells the order of its views but not their times: each is taken to end just before
    the log begins, with a second between two views. They are kept as numbers, 27 bytes each: a
    history is as long as a log, and comes by viewer.
    """

    def __init__(self, past: Iterable[Past], until_ms: int) -> None:
        """Read the histories.

        Args:
            past: the histories.
            until_ms: the first event's time; a history is from before it.
        """
        columns = tuple(array(kind) for kind in "qqqbbb")
        for row in past:
            for back, (video_id, *what) in enumerate(_acts(row), 1):
                view = (max(until_ms - back * STEP_MS, 0), row.user_id + 1, video_id + 1, *what)
                for column, value in zip(columns, view, strict=True):
                    column.append(value)
        self._columns = [
            np.frombuffer(column, np.int64 if column.typecode == "q" else np.int8)
            for column in columns
        ]
        self._order = np.lexsort(self._columns[::-1])

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Remembered]:
        for begin in range(0, len(self), CHUNK_VIEWS):
            chunk = self._order[begin : begin + CHUNK_VIEWS]
            rows = (column[chunk].tolist() for column in self._columns)
            yield from map(Remembered._make, zip(*rows, strict=True))

    def video_ids(self) -> set[int]:
        """Return the ids of all videos in it."""
        return set(np.unique(self._columns[2]).tolist())


def _acts(row: Past) -> list[tuple[int, bool, bool, bool]]:
    """Return a history's views as (video, is_watched, is_long, is_liked), newest first.

    Each list holds the last fifty of its kind. What is in the list of long views or likes and not
    in that of views is therefore older than those.
    """
    long_views, likes = list(row.watched_long), list(row.liked)
    watched = [
        (video_id, True, _took(long_views, video_id), _took(likes, video_id))
        for video_id in reversed(row.watched)
    ]
    older = [(video_id, True, True, _took(likes, video_id)) for video_id in reversed(long_views)]
    return [*watched, *older, *((video_id, False, False, True) for video_id in reversed(likes))]


def _took(among: list[int], video_id: int) -> bool:
    if video_id in among:
        among.remove(video_id)
        return True
    return False


def signals_of_history(views: Iterable[Remembered], seq: int = 1) -> Iterator[list[Signal]]:
    """Yield each view's signals, as of watches that a viewer has brought along from elsewhere.

    Args:
        views: by time.
        seq: place in the log of the first signal.
    """
    for at_ms, viewer_id, video_id, is_watched, is_long, is_liked in views:
        signals = []
        if is_watched:
            watch = Signal(viewer_id, video_id, Kind.PAST_WATCH, at_ms, seq, long_view=is_long == 1)
            signals.append(watch)
        if is_liked:
            signals.append(Signal(viewer_id, video_id, Kind.LIKE, at_ms, seq + len(signals)))
        seq += len(signals)
        yield signals
