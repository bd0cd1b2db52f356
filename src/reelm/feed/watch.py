"""Take in how long videos were watched.

A page sends its watches in batches, and again when it is not sure that they arrived; so equal
watches within a few minutes are one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.feed.impressions import Shown, record, take_turn
from reelm.feed.models import Watch
from reelm.feed.moments import first_id_at
from reelm.foundation.clock import now
from reelm.foundation.errors import TooLarge
from reelm.foundation.ids import new_id
from reelm.social import watchable_by
from reelm.social.models import VideoCount
from reelm.videos.models import Video

MAX_BATCH = 100
# Watch times are in ms: two true watches that agree in all fields this close are most unlikely.
SAME_WITHIN = timedelta(minutes=10)
# A video counts as watched to its end from here: players stop a few frames early.
COMPLETE_AT = 0.9
# The same clip left running: more loops than this say nothing more of taste.
MAX_LOOPS = 1000


@dataclass(frozen=True)
class Watched:
    """One watch as a page tells it."""

    video_id: int
    watched_ms: int
    duration_ms: int
    loops: int
    completed: bool
    muted: bool


def record_watches(
    session: Session, *, viewer_id: int, account_id: int | None, watches: Sequence[Watched]
) -> int:
    """Write watches, count them, and return how many were new.

    Videos that are unknown or not shown to the viewer are passed over. Times are cut to what
    the video's true length allows. One's own watches are kept but do not count as views.

    Raises:
        TooLarge: more than MAX_BATCH at once.
    """
    if len(watches) > MAX_BATCH:
        raise TooLarge(f"At most {MAX_BATCH} watches are taken at once; these are {len(watches)}.")
    take_turn(session, viewer_id)
    videos = _watchable(session, account_id, {watch.video_id for watch in watches})
    known = _recent(session, viewer_id)
    new = list[Watched]()
    for told in watches:
        if told.video_id not in videos:
            continue
        watch = _plausible(told, videos[told.video_id].duration_ms)
        if watch not in known:
            known.add(watch)
            new.append(watch)
    if new:
        _insert(session, viewer_id, new)
        _count(session, [w for w in new if videos[w.video_id].account_id != account_id])
        # A video opened by its address is seen too: the feed need not bring it again.
        opened = dict.fromkeys(watch.video_id for watch in new)
        record(session, viewer_id, new_id(), [Shown(video_id, "opened") for video_id in opened])
    return len(new)


@dataclass(frozen=True)
class _Facts:
    account_id: int
    duration_ms: int


def _watchable(
    session: Session, account_id: int | None, video_ids: set[int]
) -> Mapping[int, _Facts]:
    query = (
        watchable_by(account_id, Video.id, Video.account_id, Video.duration_ms)
        .where(Video.id.in_(video_ids), Video.state == "ready")
        .order_by(Video.id)
        # Nobody deletes them until this transaction ends.
        .with_for_update(of=Video, read=True, key_share=True)
    )
    return {row.id: _Facts(row.account_id, row.duration_ms) for row in session.execute(query)}


def _recent(session: Session, viewer_id: int) -> set[Watched]:
    rows = session.execute(
        select(
            Watch.video_id,
            Watch.watched_ms,
            Watch.duration_ms,
            Watch.loops,
            Watch.completed,
            Watch.muted,
        ).where(Watch.viewer_id == viewer_id, Watch.id >= first_id_at(now() - SAME_WITHIN))
    )
    return {Watched(*row) for row in rows}


def _plausible(told: Watched, duration_ms: int) -> Watched:
    loops = min(told.loops, MAX_LOOPS)
    watched_ms = min(told.watched_ms, (loops + 1) * duration_ms)
    is_whole = loops > 0 or watched_ms >= COMPLETE_AT * duration_ms
    return replace(
        told,
        watched_ms=watched_ms,
        duration_ms=duration_ms,
        loops=loops,
        completed=told.completed and is_whole,
    )


def _insert(session: Session, viewer_id: int, watches: Sequence[Watched]) -> None:
    moment = now()
    names = ("video_id", "watched_ms", "duration_ms", "loops", "completed", "muted")
    rows = [
        {"viewer_id": viewer_id, "id": new_id(), "at": moment}
        | dict(zip(names, astuple(watch), strict=True))
        for watch in watches
    ]
    session.execute(insert(Watch).values(rows))


def _count(session: Session, watches: Sequence[Watched]) -> None:
    """Add to the videos' totals; a watch of 0 ms, swiped away before it began, is no view."""
    totals = dict[int, list[int]]()
    for watch in watches:
        total = totals.setdefault(watch.video_id, [0, 0, 0])
        seen = watch.watched_ms > 0
        for at, amount in enumerate((seen, seen and watch.completed, watch.watched_ms)):
            total[at] += int(amount)
    if not totals:
        return
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
