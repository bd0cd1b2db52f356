"""Which tables go along, in which columns and order: from their declarations alone."""

import re
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql
from sqlalchemy import MetaData, Table, Text

from reelm.foundation.classes import Transfer
from reelm.foundation.database.classes import Rekey
from reelm.foundation.errors import Unavailable

_BY_RANGE = re.compile(r"RANGE \((\w+)\)")


@dataclass(frozen=True)
class MovedTable:
    """A table that goes along; `rekeyed` says of columns how they are made anew.

    Its rows are ordered by its primary key; of this the columns go first that `moves_by` in the
    table's info names.
    """

    name: str
    columns: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]  # column, and whether it is text
    sliced_by: str
    rekeyed: dict[str, Rekey]

    @property
    def order_names(self) -> list[str]:
        """The columns that order the rows."""
        return [name for name, _ in self.order]

    def selected(self, only: str | None, *, is_ordered: bool = True) -> sql.Composed:
        """Return the query of its rows, or of those of one slice; in order, or as they lie."""
        where: sql.Composable = sql.SQL("")
        if self.sliced_by and only is not None:
            by = sql.Identifier(self.sliced_by)
            where = sql.SQL(" WHERE {} = {}").format(by, sql.Literal(only))
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        rows = sql.SQL("SELECT {} FROM {}{}").format(
            columns, sql.Identifier("public", self.name), where
        )
        if not is_ordered:
            return rows
        order = sql.SQL(", ").join(_ordered(name, is_text=is_text) for name, is_text in self.order)
        return sql.SQL("{} ORDER BY {}").format(rows, order)


def moved_tables(metadata: MetaData) -> list[MovedTable]:
    """Return the tables that go along, by name."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return [_moved(one) for one in tables if one.info["data"].transfer is Transfer.TRANSFER]


def check_catalogue(connection: Connection[Any], tables: list[MovedTable]) -> None:
    """Check that the database has just the columns that are declared, and none is generated.

    Raises:
        Unavailable: it has others; names them.
    """
    rows = connection.execute(_COLUMNS, [[table.name for table in tables]]).fetchall()
    found: dict[str, set[str]] = {}
    for table, column, generated in rows:
        if generated:
            raise Unavailable(f"The column {table}.{column} is computed: a sale knows no such.")
        found.setdefault(table, set()).add(column)
    for one in tables:
        if found.get(one.name) != set(one.columns):
            odd = sorted(found.get(one.name, set()) ^ set(one.columns))
            raise Unavailable(f"Table {one.name} is not as declared: look at {', '.join(odd)}.")


_COLUMNS = """
    SELECT relname::text, attname::text, attgenerated <> ''
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
        AND attnum > 0 AND NOT attisdropped
"""


def _moved(table: Table) -> MovedTable:
    by = _BY_RANGE.fullmatch(str(table.dialect_options["postgresql"]["partition_by"] or ""))
    key = {str(one.name): isinstance(one.type, Text) for one in table.primary_key.columns}
    if not key:
        raise Unavailable(f"Table {table.name} has no primary key, so its rows have no order.")
    first = {name: key[name] for name in table.info.get("moves_by", ())}
    return MovedTable(
        name=str(table.name),
        columns=tuple(str(column.name) for column in table.columns),
        order=tuple((first | key).items()),
        sliced_by=by[1] if by else "",
        rekeyed={str(c.name): c.info["rekey"] for c in table.columns if "rekey" in c.info},
    )


def _ordered(name: str, *, is_text: bool) -> sql.Composed:
    order = sql.SQL('{} COLLATE "C"') if is_text else sql.SQL("{}")
    return order.format(sql.Identifier(name))
