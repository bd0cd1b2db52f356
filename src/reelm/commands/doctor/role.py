"""The serving role: it may do what serving needs, and is refused what it must never do."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from reelm.commands.contents import tables
from reelm.commands.doctor.check import Check, fail, ok
from reelm.foundation.database import Base
from reelm.foundation.database.classes import FOREIGN_TABLES
from reelm.foundation.database.roles import app_conninfo, app_role
from reelm.foundation.home import Home

NAME = "serving role"
GRANT = "Start `reelm serve` anew: it gives the role what it lacks."
REVOKE = (
    "Let an administrator of the database take it away (REVOKE, or ALTER ROLE {role} NOSUPERUSER "
    "NOCREATEDB NOCREATEROLE NOBYPASSRLS), and look who gave it."
)
# Migrations alone write here.
READ_ONLY = ("alembic_version",)


def check_role(connection: Connection[Any], home: Home, owner: str) -> Check:
    """Try as the serving role itself what it may and may not do."""
    row = connection.execute("SELECT max(epoch) FROM tenure WHERE ended_at IS NULL").fetchone()
    epoch = row[0] if row else None
    if epoch is None:
        return fail(NAME, "The region has no operator, so nobody may serve it.", GRANT)
    role = app_role(str(conninfo_to_dict(owner)["dbname"]), epoch)
    try:
        serving = psycopg.connect(app_conninfo(owner, epoch, home.secret("database-app")))
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        return fail(NAME, f"{role} cannot sign in to the database: {reason}.", GRANT)
    with serving:
        lacking = list(_lacking(serving))
        excess = [*_powers(serving), *_not_refused(serving)]
    if excess:
        sentence = f"{role} may do what it must not: {', '.join(excess[:4])}."
        return fail(NAME, sentence, REVOKE.format(role=role))
    if lacking:
        return fail(NAME, f"{role} lacks rights: {', '.join(lacking[:4])}.", GRANT)
    return ok(NAME, f"{role} reads and writes rows, and cannot edit the audit log or the schema.")


def _lacking(serving: Connection[Any]) -> Iterator[str]:
    declared = Base.metadata.tables.keys() | FOREIGN_TABLES.keys()
    for table in (name for name in tables(serving) if name in declared):
        rights = ["SELECT"]
        if table not in READ_ONLY:
            rights += ["INSERT"]
            rights += [] if table in _append_only() else ["DELETE"]
            rights += [] if table in (*_append_only(), *_no_update()) else ["UPDATE"]
        for right in rights:
            has = "SELECT has_table_privilege(quote_ident(%s), %s)"
            row = serving.execute(has, [table, right]).fetchone()
            if row is None or not row[0]:
                yield f"{right} on {table}"


def _powers(serving: Connection[Any]) -> list[str]:
    row = serving.execute(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    names = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS")
    return [name for name, has in zip(names, row or (), strict=False) if has]


def _not_refused(serving: Connection[Any]) -> Iterator[str]:
    """Try each forbidden statement; all of them change nothing even where they are allowed."""
    for table in (*_append_only(), *READ_ONLY):
        name, column = sql.Identifier(table), sql.Identifier(_a_column(serving, table))
        if table in _append_only():
            update = sql.SQL("UPDATE {0} SET {1} = {1} WHERE false").format(name, column)
            delete = sql.SQL("DELETE FROM {} WHERE false").format(name)
            yield from _tried(serving, f"UPDATE on {table}", update)
            yield from _tried(serving, f"DELETE on {table}", delete)
            yield from _tried(serving, f"TRUNCATE on {table}", sql.SQL("TRUNCATE {}").format(name))
        alter = sql.SQL("ALTER TABLE {} ADD COLUMN reelm_doctor int").format(name)
        yield from _tried(serving, f"ALTER TABLE {table}", alter)
    for table in _no_update():
        name, column = sql.Identifier(table), sql.Identifier(_a_column(serving, table))
        update = sql.SQL("UPDATE {0} SET {1} = {1} WHERE false").format(name, column)
        yield from _tried(serving, f"UPDATE on {table}", update)
        yield from _tried(serving, f"TRUNCATE on {table}", sql.SQL("TRUNCATE {}").format(name))
    create = sql.SQL("CREATE TABLE public.reelm_doctor (tried int)")
    yield from _tried(serving, "CREATE TABLE", create)


def _tried(serving: Connection[Any], name: str, statement: sql.SQL | sql.Composed) -> Iterator[str]:
    serving.rollback()
    try:
        serving.execute("SET LOCAL lock_timeout = '1s'")
        serving.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return
    except psycopg.errors.LockNotAvailable:
        pass  # the right is looked at before the lock, so it has the right
    finally:
        serving.rollback()
    yield name


def _append_only() -> list[str]:
    return [t.name for t in Base.metadata.tables.values() if t.info.get("append_only")]


def _no_update() -> list[str]:
    return [t.name for t in Base.metadata.tables.values() if t.info.get("no_update")]


def _a_column(serving: Connection[Any], table: str) -> str:
    row = serving.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(%s))"
        " AND attnum = 1",
        [table],
    ).fetchone()
    return str(row[0]) if row else "id"
