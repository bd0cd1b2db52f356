"""What slows a load is taken off the buyer's tables and put on last, and has to hold then.

All of it is read from the buyer's own catalogue, as its migrations made it.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from reelm.foundation.errors import Invalid


@dataclass(frozen=True)
class TakenOff:
    """Statements that put back what was taken off, in order, with what each is called."""

    tables: list[str]
    statements: list[tuple[str, str]]


def take_off(connection: Connection[Any], tables: list[str]) -> TakenOff:
    """Take off foreign keys, keys, indexes and triggers of these tables."""
    foreign = connection.execute(_CONSTRAINTS.format("contype = 'f'"), [tables, tables]).fetchall()
    keys = connection.execute(_CONSTRAINTS.format("contype IN ('p', 'u')"), [tables, []]).fetchall()
    indexes = connection.execute(_INDEXES, [tables]).fetchall()
    for table, name, _ in [*foreign, *keys]:
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        connection.execute(drop.format(sql.Identifier("public", table), sql.Identifier(name)))
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", name)))
    for table in tables:
        _set_triggers(connection, table, "DISABLE")
    # Of a partitioned table ONLY is said, which would leave its partitions without.
    statements = [
        (f"the index {name}", made.replace(" ON ONLY public.", " ON public.", 1))
        for name, made in indexes
    ]
    for table, name, made in [*keys, *foreign]:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(
            sql.Identifier("public", table), sql.Identifier(name)
        )
        statements.append((f"{name} of table {table}", add.as_string(connection) + made))
    return TakenOff(tables, sorted(statements, key=lambda one: "FOREIGN KEY" in one[1]))


def put_on(connection: Connection[Any], taken: TakenOff) -> None:
    """Put back what was taken off.

    Raises:
        Invalid: it does not hold over the rows; names it.
    """
    connection.execute("SET LOCAL maintenance_work_mem = '128MB'")
    for name, statement in taken.statements:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.IntegrityError as error:
            raise Invalid(f"What was imported breaks {name}: {_reason(error)}.") from None
    for table in taken.tables:
        _set_triggers(connection, table, "ENABLE")


def _set_triggers(connection: Connection[Any], table: str, word: str) -> None:
    statement = sql.SQL("ALTER TABLE {} {} TRIGGER USER")
    connection.execute(statement.format(sql.Identifier("public", table), sql.SQL(word)))


def _reason(error: psycopg.Error) -> str:
    return (error.diag.message_primary or type(error).__name__)[:300]


# A constraint or index of a partition goes and comes with that of its table.
_CONSTRAINTS = """
    SELECT relname::text, conname::text, pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE relnamespace = 'public'::regnamespace AND conparentid = 0 AND NOT relispartition
        AND {} AND (relname = ANY(%s) OR confrelid::regclass::text = ANY(%s))
    ORDER BY relname, conname
"""
_INDEXES = """
    SELECT pg_class.relname::text, pg_get_indexdef(pg_class.oid)
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_class AS tables ON tables.oid = indrelid
    WHERE tables.relnamespace = 'public'::regnamespace AND tables.relname = ANY(%s)
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid
            AND contype IN ('p', 'u', 'x'))
    ORDER BY pg_class.relname
"""
