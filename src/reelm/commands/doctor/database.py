"""The database: server, schema, declared data classes, ids; then role and jobs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import Connection, sql

from reelm import app
from reelm.commands.contents import server_major
from reelm.commands.doctor.audit import check_audit
from reelm.commands.doctor.check import Check, fail, guarded, ok, warn
from reelm.commands.doctor.feed import check_feed
from reelm.commands.doctor.jobs import check_jobs, check_uploads
from reelm.commands.doctor.role import check_role
from reelm.foundation.classes import NOT_DECLARED
from reelm.foundation.clock import now
from reelm.foundation.config import Settings
from reelm.foundation.database import Base, Database
from reelm.foundation.database.schema import newest_revision, revision
from reelm.foundation.home import Home
from reelm.foundation.ids import MAX_PROCESS, made_at

LOOK_AGAIN = "Mend what is above first, then run this again."
MIGRATE = "`reelm serve` brings it to this release; make a backup first."
CLOCK = "Set the clocks of both machines right, by NTP."
# Ids wait for a clock that is this far behind, and fail when it is further (foundation/ids.py).
APART_S = 10.0


def check_database(home: Home, settings: Settings, owner: str) -> Iterator[Check]:
    """Yield the outcome of each check; a region that was never opened is made whole first."""
    with psycopg.connect(owner, autocommit=True) as connection:
        if revision(connection) is None:
            app.prepare(home, settings, owner)
        is_embedded = not settings.database.url
        yield guarded("database", LOOK_AGAIN, check_server, connection, is_embedded)
        yield guarded("schema", MIGRATE, check_schema, connection)
        yield guarded("data classes", MIGRATE, check_classes, home, settings, owner)
        yield guarded("serving role", MIGRATE, check_role, connection, home, owner)
        yield guarded("ids", LOOK_AGAIN, check_ids, connection)
        yield guarded("audit log", LOOK_AGAIN, check_audit, home, owner)
        yield guarded("jobs", MIGRATE, check_jobs, connection, home)
        yield guarded("uploads", MIGRATE, check_uploads, connection, home)
        yield guarded("feed", MIGRATE, check_feed, connection, home)


def check_server(connection: Connection[Any], is_embedded: bool) -> Check:
    """It answers, has a version that is supported, and has found no damaged page."""
    row = connection.execute(
        "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(datname)),"
        " coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    version, size, damaged = row or ("?", "?", 0)
    kind = "embedded" if is_embedded else "your own"
    sentence = f"PostgreSQL {version.split(' ')[0]} ({kind}) answers; {size}."
    if server_major(connection) < 16:
        mend = "Move to PostgreSQL 16 or newer: back up here, restore there."
        return fail("database", sentence, mend)
    if damaged:
        return fail(
            "database",
            f"{sentence} It has found {damaged} damaged pages.",
            "Check the disk, and restore the last good backup on another one.",
        )
    return ok("database", sentence)


def check_schema(connection: Connection[Any]) -> Check:
    """It is the one that this release works with."""
    found, newest = revision(connection), newest_revision()
    if found == newest:
        return ok("schema", f"It is at {found}, as this release wants it.")
    return fail("schema", f"It is at {found}; this release wants {newest}.", MIGRATE)


def check_classes(home: Home, settings: Settings, owner: str) -> Check:
    """Everything that holds data declares its data class: what the boot checks, too."""
    database = Database(owner, pool_size=1)
    try:
        with database.transaction() as session:
            tables = len(app.catalogue(session))
            faults = app.undeclared_parts(home, settings, session)
    finally:
        database.close()
    if faults:
        sentence = NOT_DECLARED.format("; ".join(faults[:3]))
        return fail("data classes", sentence, "Remove what is not Reelm's from database and store.")
    sentence = f"All {tables} tables, object prefixes, queues and metric labels declare one."
    return ok("data classes", sentence)


def check_ids(connection: Connection[Any]) -> Check:
    """Process numbers are left, and no clock would make an id twice."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE until > now()), clock_timestamp() FROM process_lease"
    ).fetchone()
    used, there = row or (0, now())
    apart_s = abs((now() - there).total_seconds())
    if apart_s > APART_S:
        sentence = f"The clocks of this machine and the database are {apart_s:.0f} s apart."
        return fail("ids", sentence, CLOCK)
    newest = _newest_id(connection)
    if newest is not None and (newest - now()).total_seconds() > APART_S:
        sentence = f"An id was made at {newest:%Y-%m-%d %H:%M:%S} UTC, which is yet to come."
        return fail("ids", sentence, "Set this machine's clock right, by NTP.")
    sentence = f"{used} of {MAX_PROCESS + 1} process numbers are in use."
    if used > MAX_PROCESS - 8:
        return warn("ids", sentence, "Run fewer web processes or machines in this region.")
    return ok("ids", sentence)


def _newest_id(connection: Connection[Any]) -> datetime | None:
    """Return when the newest id was made, by the tables whose key is an id alone."""
    newest = []
    for table in Base.metadata.tables.values():
        if [column.name for column in table.primary_key] == ["id"]:
            query = sql.SQL("SELECT max(id) FROM {}").format(sql.Identifier(table.name))
            newest += [row[0] for row in connection.execute(query) if row[0] is not None]
    return made_at(max(newest)).astimezone(UTC) if newest else None
