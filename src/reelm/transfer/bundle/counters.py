"""What counts on in the buyer's database goes on behind what the bundle brought."""

from typing import Any

from psycopg import Connection, sql

from reelm.foundation import ids
from reelm.transfer.bundle.tables import MovedTable


def set_sequences(connection: Connection[Any], tables: list[MovedTable]) -> None:
    """Set each sequence that fills a column behind the column's largest value."""
    for sequence, table, column in connection.execute(
        _SEQUENCES, [[table.name for table in tables]]
    ).fetchall():
        connection.execute(
            sql.SQL("SELECT setval({}::regclass, max({})) FROM {}").format(
                sql.Literal(sequence), sql.Identifier(column), sql.Identifier("public", table)
            )
        )


def set_leases(connection: Connection[Any], made_at: str) -> None:
    """Let every process number begin after the bundle was made, so that its ids are later.

    A lease that somebody holds is kept: its end is later still.
    """
    connection.execute(_LEASES, [ids.MAX_PROCESS, _HOLDER, made_at])


_HOLDER = "the seller of this region"
_LEASES = """
    INSERT INTO process_lease (process, holder, until)
    SELECT process, holder, until
    FROM generate_series(0, %s) AS process, (VALUES (%s, %s::timestamptz)) AS sold (holder, until)
    ON CONFLICT (process) DO UPDATE SET until = greatest(process_lease.until, excluded.until)
"""
_SEQUENCES = """
    SELECT objid::regclass::text, relname::text, attname::text
    FROM pg_depend
    JOIN pg_class ON pg_class.oid = refobjid
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        AND (SELECT relkind FROM pg_class AS owned WHERE owned.oid = objid) = 'S'
        AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)
"""
