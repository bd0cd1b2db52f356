"""Read the log again, in the batches in which it was applied."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from psycopg import Connection

from reelm.feed.signals import Signal

# Rows fetched at once: some MB. Far more than one batch has (ticket.MOST_IN_BATCH).
AT_ONCE = 10_000
_COLUMNS = ", ".join(
    "(extract(epoch FROM at) * 1000)::bigint" if name == "at_ms" else name
    for name in Signal._fields
)
# No sort of the whole log before the first row: the days' indexes are merged.
_FROM_THE_FIRST_ROW = "SET LOCAL cursor_tuple_fraction = 0.0001; SET LOCAL statement_timeout = 0"
_QUERY = f"SELECT {_COLUMNS}, batch_seq FROM signal WHERE seq > %s ORDER BY seq"  # noqa: S608 - our own names
_SOME = f"{_QUERY} LIMIT %s"


def replayed(connection: Connection[Any], after_seq: int) -> Iterator[list[Signal]]:
    """Yield the batches of the log after `after_seq`, in one transaction of `connection`.

    Rows of people who were erased meanwhile are missing from them.
    """
    connection.execute(_FROM_THE_FIRST_ROW)
    with connection.cursor(name="replay") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(_QUERY, [after_seq])
        for _, rows in groupby(cursor, key=lambda row: row[-1]):
            yield [Signal._make(row[:-1]) for row in rows]
    connection.commit()


def batches_after(connection: Connection[Any], seq: int) -> list[list[Signal]]:
    """Return the next batches of the log after `seq`, as it is just now; none at its end."""
    rows = connection.execute(_SOME, [seq, AT_ONCE]).fetchall()
    connection.commit()
    batches = [
        [Signal._make(row[:-1]) for row in some]
        for _, some in groupby(rows, key=lambda row: row[-1])
    ]
    # The last one may go on beyond what was fetched.
    return batches[:-1] if len(rows) == AT_ONCE else batches


def end_of_log(connection: Connection[Any]) -> tuple[int, int]:
    """Return the last number and time of the log; zeros where it is empty."""
    row = connection.execute(
        "SELECT seq, (extract(epoch FROM at) * 1000)::bigint FROM signal ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def first_of_log(connection: Connection[Any]) -> int:
    """Return the first number of the log; 0 where it is empty."""
    row = connection.execute("SELECT min(seq) FROM signal").fetchone()
    return 0 if row is None else int(row[0] or 0)
