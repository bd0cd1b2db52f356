"""Write one batch of signals in one transaction, with the videos' totals.

Two exchanges with the database, whatever the length of the batch: the first asks which viewers
and videos are still there, the second writes what is about those and commits. Columns go as
arrays in PostgreSQL's own text form: to look at each value by itself took longer than the insert.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from operator import gt
from typing import Any

from psycopg import Connection

from reelm.feed.signals import COMPLETE_AT, SAME_VIEW, Kind, Signal
from reelm.foundation.database.prepared import as_array
from reelm.foundation.errors import Invalid

# Held shared by each batch and alone, for a moment, by an erasure (barrier): batches that begin
# after that moment see that the account is gone.
ERASURE_LOCK = 0x7265656C6D06  # "reelm" 6
MAX_INT, MAX_SMALL, MAX_ID = (1 << 31) - 1, (1 << 15) - 1, (1 << 63) - 1
MAX_TEXT = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Found = tuple[set[int], dict[int, int]]


def check(signal: Signal) -> None:
    """Refuse a signal that the log cannot hold: one must not spoil the batch of all others.

    Raises:
        Invalid: names the field.
    """
    numbers = signal[:3] + signal[5:8] + signal[9:12]
    if min(numbers) < 0 or any(map(gt, numbers, _MOST)):
        _refuse_number(signal)
    if not isfinite(signal.propensity):
        raise Invalid("The signal's propensity must be a number.")
    for name, text in (("source", signal.source), ("subject", signal.subject)):
        if text and (
            len(text) > MAX_TEXT or "\x00" in text or not (text.isascii() or _is_utf8(text))
        ):
            raise Invalid(f"The signal's {name} is no text that the log can hold.")


def _refuse_number(signal: Signal) -> None:
    for name, most in _BOUNDS.items():
        value = getattr(signal, name)
        if not 0 <= value <= most:
            raise Invalid(f"The signal's {name} must lie between 0 and {most}, not be {value}.")


def find(connection: Connection[Any], signals: Sequence[Signal]) -> Found:
    """Begin the transaction; return the erased among the viewers, and the creators by video."""
    viewers = as_array({signal.viewer_id for signal in signals})
    videos = as_array({signal.video_id for signal in signals})
    with connection.pipeline():
        connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [ERASURE_LOCK])
        erased = connection.execute(_ERASED, [viewers])
        creators = connection.execute(_CREATORS, [videos])
    return {row[0] for row in erased}, dict(creators.fetchall())


def kept(signals: Iterable[Signal], found: Found, after_seq: int, at_ms: int) -> list[Signal]:
    """Return what is written: in order, numbered and dated; nothing of who or what is gone."""
    erased, creators = found
    there = [
        signal
        for signal in signals
        if signal.viewer_id not in erased and (signal.video_id in creators or not signal.video_id)
    ]
    # As _replace would, in a third of the time.
    return [
        Signal._make((*signal[:3], at_ms, seq, *signal[5:]))
        for seq, signal in enumerate(there, after_seq + 1)
    ]


def insert(connection: Connection[Any], batch: Sequence[Signal], found: Found) -> None:
    """Write a numbered batch with the totals, and commit.

    A batch that is one RESET first deletes all else that the log holds of the viewer.
    """
    with connection.pipeline():
        if batch[0].kind == Kind.RESET:
            connection.execute("DELETE FROM signal WHERE viewer_id = %s", [batch[0].viewer_id])
        connection.execute(_INSERT, _columns(batch))
        if totals := _totals(batch, found[1]):
            connection.execute(_COUNT, [as_array(column) for column in zip(*totals, strict=True)])
        connection.commit()


def moment(at_ms: int) -> datetime:
    """Return the time of a count of ms since 1970."""
    return EPOCH + timedelta(milliseconds=at_ms)


def _columns(batch: Sequence[Signal]) -> dict[str, Any]:
    columns = dict(zip(Signal._fields, zip(*batch, strict=True), strict=True))
    at = moment(batch[0].at_ms)
    bound: dict[str, Any] = {"day": at.date(), "at": at, "batch_seq": batch[0].seq}
    for name in _NUMBERS:
        bound[name] = as_array(columns[name])
    for name in ("source", "subject"):
        bound[name] = "{" + ",".join(map(_quoted, columns[name])) + "}"
    bound["long_view"] = as_array(map(int, columns["long_view"]))
    return bound


def _quoted(text: str) -> str:
    if text.isalnum():
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _totals(batch: Sequence[Signal], creators: dict[int, int]) -> list[tuple[int, int, int, int]]:
    """Return video, views, completions and watched ms to add, in the order of ids.

    One's own watches are no views, nor is one of 0 ms, swiped away before it began, nor one that
    is part of a view counted before.
    """
    totals = dict[int, list[int]]()
    for signal in batch:
        if signal.kind == Kind.WATCH and signal.watched_ms > 0 and signal.position != SAME_VIEW:
            if creators.get(signal.video_id) in (None, signal.viewer_id):
                continue
            total = totals.setdefault(signal.video_id, [0, 0, 0])
            total[0] += 1
            total[1] += is_complete(signal)
            total[2] += signal.watched_ms
    return [(video_id, *totals[video_id]) for video_id in sorted(totals)]  # type: ignore[misc]


def is_complete(signal: Signal) -> bool:
    """Return whether a watch reached the end."""
    return signal.loops > 0 or signal.watched_ms >= COMPLETE_AT * signal.duration_ms > 0


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_BOUNDS = {
    "viewer_id": MAX_ID,
    "video_id": MAX_ID,
    "kind": MAX_SMALL,
    "watched_ms": MAX_INT,
    "duration_ms": MAX_INT,
    "loops": MAX_INT,
    "surface": MAX_SMALL,
    "page_id": MAX_ID,
    "position": MAX_INT,
}
_MOST = tuple(_BOUNDS.values())
_NUMBERS = (*_BOUNDS, "seq", "propensity")
_ERASED = "SELECT account_id FROM erased_account WHERE account_id = ANY(%s::bigint[])"
_CREATORS = "SELECT id, account_id FROM video WHERE id = ANY(%s::bigint[])"
_INSERT = """
    INSERT INTO signal (viewer_id, seq, day, at, video_id, kind, watched_ms, duration_ms, loops,
        long_view, surface, page_id, position, source, propensity, subject, batch_seq)
    SELECT viewer_id, seq, %(day)s, %(at)s, video_id, kind, watched_ms, duration_ms, loops,
        long_view = 1, surface, page_id, position, source, propensity, subject, %(batch_seq)s
    FROM unnest(%(viewer_id)s::bigint[], %(seq)s::bigint[], %(video_id)s::bigint[],
        %(kind)s::smallint[], %(watched_ms)s::integer[], %(duration_ms)s::integer[],
        %(loops)s::integer[], %(long_view)s::integer[], %(surface)s::smallint[],
        %(page_id)s::bigint[], %(position)s::integer[], %(source)s::text[],
        %(propensity)s::float8[], %(subject)s::text[])
        AS batch (viewer_id, seq, video_id, kind, watched_ms, duration_ms, loops, long_view,
            surface, page_id, position, source, propensity, subject)
"""
# In the order of ids, as all who count: two that count at once do not wait in a circle.
_COUNT = """
    INSERT INTO video_count AS total (video_id, views, completions, watched_ms)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS added (video_id, views, completions, watched_ms)
    ORDER BY video_id
    ON CONFLICT (video_id) DO UPDATE SET views = total.views + excluded.views,
        completions = total.completions + excluded.completions,
        watched_ms = total.watched_ms + excluded.watched_ms
"""
