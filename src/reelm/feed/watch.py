"""Take in how long videos were watched.

A page sends its watches in batches, and again when it is not sure that they arrived; so equal
watches within a few minutes are one. All different ones are learned from; of those of one viewer
and video that are close together only the first is a view, as anybody reads the count.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    Select,
    any_,
    bindparam,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.feed.models import SignalRow
from reelm.feed.signals import COMPLETE_AT, SAME_VIEW, Kind, Signal, Surface, is_long_view
from reelm.foundation.clock import now
from reelm.foundation.database.prepared import Prepared, as_array
from reelm.foundation.errors import TooLarge
from reelm.social import Asked, ForViewers, ViewerAccount, watchable_by
from reelm.social.models import VideoCount
from reelm.videos.models import Video

MAX_BATCH = 100
# Watch times are in ms: two true watches that agree in all fields this close are most unlikely.
SAME_WITHIN = timedelta(minutes=10)
# A clip that is met again in one sitting was seen once; most sittings are shorter. It also bounds
# what one viewer adds to a count that is shown to all: two views an hour.
ONE_VIEW_WITHIN = timedelta(minutes=30)
# Rows of the log looked back for these, a watch and an impression for each swipe; nobody swipes
# more than once a second for the whole time.
LOOK_BACK = 4000
# The same clip left running: more than this says nothing more of taste.
MAX_LOOPS = 1000
MAX_WATCHED_MS = 24 * 3600 * 1000


class Watched(NamedTuple):
    """One watch as a page tells it."""

    video_id: int
    watched_ms: int
    loops: int


class Told(NamedTuple):
    """Watches that a viewer's page tells of."""

    viewer_id: int
    account_id: int | None
    watches: Sequence[Watched]
    country: str | None = None


class _Recent(NamedTuple):
    """A viewer's latest watches: to know those that are sent again, and the videos viewed."""

    same: set[Watched]
    viewed: set[int]


def watches_of(session: Session, told: Told) -> list[Signal]:
    """Return the signals of watches that are new, for the log, which also counts the views.

    Videos that are unknown or not shown to the viewer are passed over. Times are cut to what
    the video's true length allows.

    Raises:
        TooLarge: more than MAX_BATCH at once.
    """
    return watches_of_all(session, [told])[0]


def watches_of_all(session: Session, told: Sequence[Told]) -> list[list[Signal]]:
    """Return the same of several viewers; the database is asked once for all.

    Raises:
        TooLarge: more than MAX_BATCH watches of one viewer.
    """
    for one in told:
        _check_number(one.watches)
    durations = _watchable(session, told)
    known = _recent(session, told)
    return [_new_of(one, durations, known[one.viewer_id]) for one in told]


def _new_of(
    told: Told, durations: Mapping[tuple[int | None, int], int], known: _Recent
) -> list[Signal]:
    signals = []
    for watched in told.watches:
        duration_ms = durations.get((told.account_id, watched.video_id))
        if duration_ms is None:
            continue
        watch = _plausible(watched, duration_ms)
        if watch not in known.same:
            known.same.add(watch)
            is_same_view = watch.video_id in known.viewed
            if watch.watched_ms > 0:
                known.viewed.add(watch.video_id)
            signals.append(
                Signal(
                    told.viewer_id,
                    watch.video_id,
                    Kind.WATCH,
                    watched_ms=watch.watched_ms,
                    duration_ms=duration_ms,
                    loops=watch.loops,
                    long_view=is_long_view(watch.watched_ms, duration_ms),
                    surface=Surface.ADDRESS,
                    position=SAME_VIEW if is_same_view else 0,
                )
            )
    return signals


def count_watches(session: Session, told: Told) -> None:
    """Count the views of somebody of whom nothing is written down; one's own are none.

    Watches of one video that are told of together are one view.

    Raises:
        TooLarge: more than MAX_BATCH at once.
    """
    _check_number(told.watches)
    durations = _watchable(session, [told], but_own=True)
    totals = dict[int, tuple[int, int, int]]()
    for watched in told.watches:
        duration_ms = durations.get((told.account_id, watched.video_id))
        if duration_ms is None or watched.watched_ms == 0 or watched.video_id in totals:
            continue
        watch = _plausible(watched, duration_ms)
        whole = watch.loops > 0 or watch.watched_ms >= COMPLETE_AT * duration_ms
        totals[watch.video_id] = (1, int(whole), watch.watched_ms)
    if totals:
        _count(session, totals)


def _check_number(watches: Sequence[Watched]) -> None:
    if len(watches) > MAX_BATCH:
        raise TooLarge(f"At most {MAX_BATCH} watches are taken at once; these are {len(watches)}.")


def _watchable(
    session: Session, told: Sequence[Told], *, but_own: bool = False
) -> dict[tuple[int | None, int], int]:
    """Return account, video -> length in ms of the videos that each may watch."""
    asked = [
        Asked(one.account_id, {watch.video_id for watch in one.watches}, one.country)
        for one in told
    ]
    return {
        (account_id, video_id): duration_ms
        for video_id, duration_ms, creator_id, account_id, _ in _WATCHABLE.rows(session, asked)
        if not (but_own and creator_id == account_id)
    }


def _recent(session: Session, told: Sequence[Told]) -> dict[int, _Recent]:
    """Return the latest watches of each viewer, of the videos that are told of now."""
    same_since, since = now() - SAME_WITHIN, now() - ONE_VIEW_WITHIN
    rows = _latest().tuples(
        session,
        viewer_ids=as_array({one.viewer_id for one in told}),
        video_ids=as_array({watch.video_id for one in told for watch in one.watches}),
        day=since.date(),
        since=since,
    )
    known = {one.viewer_id: _Recent(set(), set()) for one in told}
    at: datetime
    for viewer_id, at, *watched in rows:
        watch = Watched(*watched)
        if at >= same_since:
            known[viewer_id].same.add(watch)
        if watch.watched_ms > 0:
            known[viewer_id].viewed.add(watch.video_id)
    return known


def _plausible(told: Watched, duration_ms: int) -> Watched:
    loops = min(told.loops, MAX_LOOPS, MAX_WATCHED_MS // max(duration_ms, 1))
    most_ms = min((loops + 1) * duration_ms, MAX_WATCHED_MS)
    return Watched(told.video_id, min(told.watched_ms, most_ms), loops)


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


_VIDEOS = bindparam("video_ids", type_=ARRAY(BigInteger))


def _watchable_videos(account_id: ViewerAccount, country: Any) -> Select[Any]:
    columns = (Video.id, Video.duration_ms, Video.account_id)
    return watchable_by(account_id, *columns, country=country).where(Video.state == "ready")


_WATCHABLE = ForViewers(_watchable_videos)


@cache
def _latest() -> Prepared:
    viewers = bindparam("viewer_ids", type_=ARRAY(BigInteger))
    viewer = func.unnest(viewers).table_valued("viewer_id", name="viewer").render_derived()
    latest = (
        select(
            SignalRow.at, SignalRow.video_id, SignalRow.watched_ms, SignalRow.loops, SignalRow.kind
        )
        .where(
            SignalRow.viewer_id == viewer.c.viewer_id,
            SignalRow.day >= bindparam("day", type_=Date),
            SignalRow.at >= bindparam("since", type_=DateTime(timezone=True)),
        )
        .order_by(SignalRow.seq.desc())
        .limit(LOOK_BACK)
        .lateral("latest")
    )
    return Prepared(
        select(
            viewer.c.viewer_id,
            latest.c.at,
            latest.c.video_id,
            latest.c.watched_ms,
            latest.c.loops,
        )
        .join(latest, true())
        .where(latest.c.kind == Kind.WATCH.value, latest.c.video_id == any_(_VIDEOS))
    )
