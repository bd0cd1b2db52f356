"""What a region's database holds: its schema, its rows, and which objects the rows name.

All of it is read from the live catalogue and not from this release's tables, so that a backup can
be made of a database that an older release left.
"""

from typing import Any

from psycopg import Connection, sql

# Columns that say how large the object beside them is.
SIZES = {
    ("rendition", "object"): "size_bytes",
    ("sealed_copy", "object"): "size_bytes",
    ("video", "original_object"): "original_bytes",
}
MAJOR = 10_000


def server_major(connection: Connection[Any]) -> int:
    """Return the major version of the server."""
    return connection.info.server_version // MAJOR


def tables(connection: Connection[Any]) -> list[str]:
    """Return the names of all tables, in order; partitions belong to their parents."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
    )
    return [str(name) for (name,) in rows]


def count_rows(connection: Connection[Any], *, without: tuple[str, ...] = ()) -> dict[str, int]:
    """Return the number of rows of each table; 0 of those whose rows are left out."""
    counts = {}
    for name in tables(connection):
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))
        row = None if name in without else connection.execute(count).fetchone()
        counts[name] = 0 if row is None else int(row[0])
    return counts


def named_objects(
    connection: Connection[Any], *, without: tuple[str, ...] = ()
) -> dict[str, int | None]:
    """Return the key of each object that a row names, with its size where a row says it.

    Args:
        connection: to the region's database.
        without: tables that are passed over.
    """
    named: dict[str, int | None] = {}
    for table, column in object_columns(connection):
        if table in without:
            continue
        size = SIZES.get((table, column))
        query = sql.SQL("SELECT {column}, {size} FROM {table} WHERE {column} IS NOT NULL").format(
            column=sql.Identifier(column),
            size=sql.Identifier(size) if size else sql.NULL,
            table=sql.Identifier("public", table),
        )
        for key, size_bytes in connection.execute(query):
            named[key] = named.get(key) if size_bytes is None else int(size_bytes)
    return named


def object_columns(connection: Connection[Any]) -> list[tuple[str, str]]:
    """Return (table, column) of each column that names objects: `object` and `..._object`."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text'"
        r" AND (column_name = 'object' OR column_name LIKE '%\_object')"
        " ORDER BY table_name, column_name"
    )
    return [(str(table), str(column)) for table, column in rows]
