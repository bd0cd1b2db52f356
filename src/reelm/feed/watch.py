"""Take in how long videos were watched.

A page sends its watches in batches, and again when it is not sure that they arrived; so equal
watches within a few minutes are one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.feed.models import SignalRow
from reelm.feed.signals import COMPLETE_AT, Kind, Signal, Surface, is_long_view
from reelm.foundation.clock import now
from reelm.foundation.errors import TooLarge
from reelm.social import watchable_by
from reelm.social.models import VideoCount
from reelm.videos.models import Video

MAX_BATCH = 100
# Watch times are in ms: two true watches that agree in all fields this close are most unlikely.
SAME_WITHIN = timedelta(minutes=10)
# Rows of the log looked back for these; nobody swipes faster.
LOOK_BACK = 400
# The same clip left running: more loops than this say nothing more of taste.
MAX_LOOPS = 1000


@dataclass(frozen=True)
class Watched:
    """One watch as a page tells it."""

    video_id: int
    watched_ms: int
    loops: int


def watches_of(
    session: Session, *, viewer_id: int, account_id: int | None, watches: Sequence[Watched]
) -> list[Signal]:
    """Return the signals of watches that are new, for the log, which also counts the views.

    Videos that are unknown or not shown to the viewer are passed over. Times are cut to what
    the video's true length allows.

    Raises:
        TooLarge: more than MAX_BATCH at once.
    """
    durations = _watchable(session, account_id, watches)
    known = _recent(session, viewer_id)
    signals = []
    for told in watches:
        if told.video_id not in durations:
            continue
        duration_ms = durations[told.video_id]
        watch = _plausible(told, duration_ms)
        if watch not in known:
            known.add(watch)
            signals.append(
                Signal(
                    viewer_id,
                    watch.video_id,
                    Kind.WATCH,
                    watched_ms=watch.watched_ms,
                    duration_ms=duration_ms,
                    loops=watch.loops,
                    long_view=is_long_view(watch.watched_ms, duration_ms),
                    surface=Surface.ADDRESS,
                )
            )
    return signals


def count_watches(session: Session, *, account_id: int | None, watches: Sequence[Watched]) -> None:
    """Count the views of somebody of whom nothing is written down.

    Raises:
        TooLarge: more than MAX_BATCH at once.
    """
    durations = _watchable(session, account_id, watches, but_own=True)
    totals = dict[int, list[int]]()
    for told in watches:
        if told.video_id not in durations or told.watched_ms == 0:
            continue
        duration_ms = durations[told.video_id]
        watch = _plausible(told, duration_ms)
        total = totals.setdefault(watch.video_id, [0, 0, 0])
        whole = watch.loops > 0 or watch.watched_ms >= COMPLETE_AT * duration_ms
        for at, amount in enumerate((1, int(whole), watch.watched_ms)):
            total[at] += amount
    if totals:
        _count(session, totals)


def _watchable(
    session: Session,
    account_id: int | None,
    watches: Sequence[Watched],
    *,
    but_own: bool = False,
) -> Mapping[int, int]:
    """Return the length in ms of each of the videos that the viewer may watch."""
    if len(watches) > MAX_BATCH:
        raise TooLarge(f"At most {MAX_BATCH} watches are taken at once; these are {len(watches)}.")
    query = watchable_by(account_id, Video.id, Video.duration_ms).where(
        Video.id.in_({watch.video_id for watch in watches}), Video.state == "ready"
    )
    if but_own and account_id is not None:
        query = query.where(Video.account_id != account_id)
    return {row.id: row.duration_ms for row in session.execute(query)}


def _recent(session: Session, viewer_id: int) -> set[Watched]:
    since = now() - SAME_WITHIN
    rows = session.execute(
        select(SignalRow.video_id, SignalRow.watched_ms, SignalRow.loops, SignalRow.kind)
        .where(SignalRow.viewer_id == viewer_id)
        .where(SignalRow.day >= since.date(), SignalRow.at >= since)
        .order_by(SignalRow.seq.desc())
        .limit(LOOK_BACK)
    )
    return {Watched(*row[:3]) for row in rows if row.kind == Kind.WATCH}


def _plausible(told: Watched, duration_ms: int) -> Watched:
    loops = min(told.loops, MAX_LOOPS)
    return Watched(told.video_id, min(told.watched_ms, (loops + 1) * duration_ms), loops)


def _count(session: Session, totals: Mapping[int, Sequence[int]]) -> None:
    names = ("views", "completions", "watched_ms")
    # In the order of ids: two who count at once do not wait for each other in a circle.
    rows = [
        {"video_id": video_id} | dict(zip(names, total, strict=True))
        for video_id, total in sorted(totals.items())
    ]
    statement = insert(VideoCount).values(rows)
    added = {name: getattr(VideoCount, name) + statement.excluded[name] for name in names}
    session.execute(
        statement.on_conflict_do_update(index_elements=[VideoCount.video_id], set_=added)
    )
