"""Rows of a table as COPY text, with every setting pinned that changes what COPY writes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.pq import ExecStatus

from reelm.foundation.errors import Invalid, Unavailable
from reelm.transfer.bundle.tables import MovedTable

# Pieces of this size are digested, compressed and written at once.
PIECE_BYTES = 1 << 18
_PINNED = (
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL IntervalStyle = 'iso_8601'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL client_encoding = 'UTF8'",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    # Rows of a day are sorted in memory, or in files beside it.
    "SET LOCAL work_mem = '64MB'",
)


@contextmanager
def pinned(owner: str, *, is_snapshot: bool) -> Iterator[Connection[Any]]:
    """Yield a connection in one transaction, with pinned what decides how values are written.

    Args:
        owner: how the owner's role connects.
        is_snapshot: it reads only, and sees the database as it is now, whatever is written.
    """
    connection = psycopg.connect(owner)
    try:
        if is_snapshot:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
        for setting in _PINNED:
            connection.execute(setting)
        yield connection
        connection.commit()
    finally:
        # What is not committed is rolled back by the server, from within a COPY too.
        connection.close()


def slices(connection: Connection[Any], table: MovedTable) -> list[str]:
    """Return the values by which a table is sliced, in order; one empty text if it is not.

    Raises:
        Invalid: it has a row that no slice can hold.
    """
    if not table.sliced_by:
        return [""]
    query = sql.SQL("SELECT DISTINCT {by} FROM {table} ORDER BY 1").format(
        by=sql.Identifier(table.sliced_by), table=sql.Identifier("public", table.name)
    )
    found = [row[0] for row in connection.execute(query)]
    if not all(isinstance(one, date) for one in found):
        raise Invalid(f"Table {table.name} has a row of no day.")
    return [one.isoformat() for one in found]


def copied(connection: Connection[Any], query: sql.Composed) -> Iterator[bytes]:
    """Yield the COPY text of a query's rows, in pieces of whole lines."""
    # libpq gives one row at a time; its own call is used, as what goes around it costs more.
    statement = sql.SQL("COPY ({}) TO STDOUT").format(query).as_bytes(connection)
    pgconn = connection.pgconn
    _expect(pgconn.exec_(statement).status, ExecStatus.COPY_OUT, pgconn)
    is_whole = False
    try:
        yield from gathered(_lines(pgconn))
        is_whole = True
    finally:
        if not is_whole:
            _stop(connection)
    while (result := pgconn.get_result()) is not None:
        _expect(result.status, ExecStatus.COMMAND_OK, pgconn)


def _lines(pgconn: Any) -> Iterator[bytes]:
    while True:
        length, row = pgconn.get_copy_data(0)
        if length < 0:
            return
        yield row


def _stop(connection: Connection[Any]) -> None:
    """Leave a COPY before its end, so that the connection can be used again."""
    if connection.closed:
        return
    connection.cancel()
    for _ in _lines(connection.pgconn):
        continue
    while connection.pgconn.get_result() is not None:
        continue


def gathered(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines in pieces of some size."""
    # Joining a list of libpq's buffers took three times as long as reading them.
    waiting = bytearray()
    for line in lines:
        waiting += line
        if len(waiting) >= PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _expect(status: int, wanted: ExecStatus, pgconn: Any) -> None:
    if status != wanted:
        words = pgconn.error_message.decode("utf-8", "replace").strip().splitlines()[:1]
        raise Unavailable(f"The rows could not be read: {' '.join(words)}")
