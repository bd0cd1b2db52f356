"""Import a bundle into the buyer's fresh region: all of it in one transaction, or nothing.

The buyer's own migrations have made the tables. Rows are loaded by COPY, everything that must hold
over them is put on last, and then every root is computed again from the database, before it is
committed. Objects come first, as a row never names one that is not there.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.copy import QueuedLibpqWriter

from reelm.accounts import Wrapping
from reelm.foundation.database import Base
from reelm.foundation.database.schema import revision
from reelm.foundation.errors import Conflict, Invalid, Missing, Unavailable
from reelm.foundation.storage import ObjectStore
from reelm.transfer.bundle.constraints import put_on, take_off
from reelm.transfer.bundle.counters import set_leases, set_sequences
from reelm.transfer.bundle.log import await_places, check_log
from reelm.transfer.bundle.narrow import differing_row, tree_of
from reelm.transfer.bundle.objects import kind_and_digest, named_keys
from reelm.transfer.bundle.opened import Opened
from reelm.transfer.bundle.reading import read_list, read_table
from reelm.transfer.bundle.rekey import Lines, Rekeying
from reelm.transfer.bundle.rows import pinned
from reelm.transfer.bundle.stays import OBJECT
from reelm.transfer.bundle.streams import Sink
from reelm.transfer.bundle.tables import MovedTable, check_catalogue
from reelm.transfer.bundle.verify import check_objects, verify_object

Say = Callable[[str], None]
Finish = Callable[[Connection[Any]], None]
# The queue holds 1,024 pieces: 32 MiB.
SENT_BYTES = 32 << 10
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Imported:
    """What was imported, each root being that of the manifest."""

    rows: dict[str, int]
    objects: int


def import_(
    opened: Opened,
    owner: str,
    store: ObjectStore,
    region_key: bytes,
    work: Path,
    say: Say = lambda _: None,
    *,
    finish: Finish = lambda _: None,
    may_replace: bool = False,
) -> Imported:
    """Import a bundle; when it returns, what the manifest closed is in the database and the store.

    Args:
        opened: the bundle, as `verify` gives it.
        owner: how the owner's role of the fresh database connects.
        store: the buyer's objects.
        region_key: the buyer's, under which account keys are wrapped anew.
        work: a private folder for one object at a time.
        say: is told of progress.
        finish: writes the caller's own rows, last in the transaction of the import.
        may_replace: what an earlier import left in the database is emptied first.

    Raises:
        Invalid: the bundle does not hold what was closed; names the table, constraint or object.
        Conflict: the database is not fresh, or of another schema than the bundle.
    """
    say("Importing objects.")
    check_objects(opened, lambda one: _import_object(opened, store, work, *one))
    wrapping = Wrapping(region_key)
    with pinned(owner, is_snapshot=False) as connection:
        tables = list(opened.tables.values())
        _check_schema(opened, connection, tables)
        if not may_replace:
            _check_fresh(connection, tables)
        rows = _import_rows(opened, connection, wrapping, say)
        set_leases(connection, opened.manifest.made_at)
        finish(connection)
    return Imported(rows, opened.manifest.objects.count)


def _import_rows(
    opened: Opened, connection: Connection[Any], wrapping: Wrapping, say: Say
) -> dict[str, int]:
    tables = list(opened.tables.values())
    taken = take_off(connection, [table.name for table in tables])
    connection.execute(
        sql.SQL("TRUNCATE {}").format(
            sql.SQL(", ").join(sql.Identifier("public", table.name) for table in tables)
        )
    )
    for table in tables:
        say(f"Importing {table.name}.")
        _load(opened, connection, table, wrapping)
    say("Checking what must hold over the rows.")
    put_on(connection, taken)
    set_sequences(connection, tables)
    # As they lie: by one process, from the first on.
    connection.execute("SET LOCAL synchronize_seqscans = off")
    connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    rows = {}
    for table in tables:
        say(f"Checking {table.name}.")
        rows[table.name] = _check_loaded(opened, connection, table, wrapping)
    say("Checking the audit log.")
    check_log(connection, opened.manifest)
    await_places(connection)
    _check_named(opened, connection)
    return rows


def _check_schema(opened: Opened, connection: Connection[Any], tables: list[MovedTable]) -> None:
    schema = revision(connection) or "none"
    if schema != opened.manifest.schema:
        raise Conflict(
            f"The bundle has schema {opened.manifest.schema}, and this database {schema}: import"
            " it with the seller's release."
        )
    check_catalogue(connection, tables)


def _check_fresh(connection: Connection[Any], tables: list[MovedTable]) -> None:
    for table in tables:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(
            sql.Identifier("public", table.name)
        )
        found = connection.execute(query).fetchone()
        if found is None or found[0]:
            raise Conflict(f"Table {table.name} is not empty: a bundle needs a fresh database.")


def _load(
    opened: Opened, connection: Connection[Any], table: MovedTable, wrapping: Wrapping
) -> None:
    """Load a table, and check its text against the manifest on the way."""
    rekeying = Rekeying(table, opened.manifest.scope_digest) if table.rekeyed else None

    @contextmanager
    def loading(value: str) -> Iterator[Sink]:
        target = _partition(connection, table, value) if table.sliced_by else table.name
        # Frozen: the table was emptied in this transaction, so no row needs a look ever again.
        statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FREEZE)").format(
            sql.Identifier("public", target),
            sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        )
        lines = Lines(rekeying.importing(wrapping)) if rekeying else None
        cursor = connection.cursor()
        # Another thread sends while this one reads on.
        with cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy:

            def send(piece: bytes) -> None:
                text = lines.feed(piece) if lines else piece
                for start in range(0, len(text), SENT_BYTES):
                    copy.write(text[start : start + SENT_BYTES])

            yield send

    try:
        read_table(opened, table.name, loading)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        words = (error.diag.message_primary or "no reason given")[:200]
        raise Invalid(f"A row of table {table.name} cannot be: {words}.") from None


def _partition(connection: Connection[Any], table: MovedTable, value: str) -> str:
    """Make the partition of one day, as the log of signals has them; return its name."""
    refusal = Invalid(f"{value[:20]!r} is no day that table {table.name} can have.")
    if not _DAY.fullmatch(value):
        raise refusal
    try:
        day = date.fromisoformat(value)
        following = day + timedelta(days=1)
    except (ValueError, OverflowError):
        raise refusal from None
    name = f"{table.name}_{day:%Y_%m_%d}"
    make = sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
        sql.Identifier("public", name),
        sql.Identifier("public", table.name),
        sql.Literal(day.isoformat()),
        sql.Literal(following.isoformat()),
    )
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{name}"]).fetchone()
    if there is None or not there[0]:
        connection.execute(make)
    return name


def _check_loaded(
    opened: Opened, connection: Connection[Any], table: MovedTable, wrapping: Wrapping
) -> int:
    """Read a table back, and return its rows: their root has to be the one that was closed."""
    closed = opened.closed(table.name)
    wrappings = {wrapping.version: wrapping}
    # They were loaded in order and so they lie: to sort them again is for when they do not.
    for is_ordered in (False, True):
        tree = tree_of(
            connection, table, secret=opened.secret, is_ordered=is_ordered,
            scope_digest=opened.manifest.scope_digest, wrappings=wrappings,
        )  # fmt: skip
        if (tree.rows, tree.root()) == (closed.rows, closed.root):
            return tree.rows
    row = differing_row(opened, connection, table.name, wrappings)
    raise Invalid(
        f"Table {table.name} lies in the database otherwise than it was closed: "
        f"{tree.rows} rows instead of {closed.rows}, and the first that differs is {row}."
    )


def _check_named(opened: Opened, connection: Connection[Any]) -> None:
    """Check that the list has just the objects that rows name, but those said to be missing."""
    missing = {one.name for one in opened.manifest.excluded if one.place == OBJECT}
    keys = (key for key in named_keys(connection, Base.metadata) if key not in missing)

    def take(line: bytes) -> bytes:
        listed = line.split(b"\t")[0].decode()
        if next(keys, None) != listed:
            raise Invalid(f"The list of objects has {listed}, which is not the next of the rows.")
        return b""

    lines = Lines(take)
    read_list(opened, lines.feed)
    extra = next(keys, None)
    if extra is not None:
        raise Invalid(f"A row names the object {extra}, which the bundle does not list.")


def _import_object(
    opened: Opened, store: ObjectStore, work: Path, key: str, size_bytes: int
) -> None:
    """Store an object; one that an earlier import stored is only checked."""
    _, digest = kind_and_digest(key)
    with suppress(Missing):
        if store.size_bytes(key) == size_bytes and _digest_of(store, key) == digest:
            return
    with tempfile.NamedTemporaryFile(dir=work) as file:
        take: Sink = file.write
        verify_object(opened, key, size_bytes, take)
        file.flush()
        if store.put_file(key.partition("/")[0], Path(file.name)).key != key:
            raise Unavailable(f"The object {key} changed while it was stored.")


def _digest_of(store: ObjectStore, key: str) -> str:
    found = hashlib.sha256()
    for chunk in store.chunks(key):
        found.update(chunk)
    return found.hexdigest()
