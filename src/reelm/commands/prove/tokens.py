"""A unique token for every personal field, generated from the declared data classes.

A new column is swept for as soon as it is declared: what the product does not fill here is filled
directly, under its own data key where it is sealed.
"""

import itertools
import secrets
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.orm import Session

from reelm.accounts.keys import data_key, key_owner, make_key
from reelm.accounts.persons import ERASED_BY, rows_of
from reelm.foundation.classes import Form
from reelm.foundation.errors import Gone
from reelm.foundation.parts import Parts

# Eight letters that no file of ours has, and 48 random bits.
MARK = "kanarya0"
# Of rows that are written directly: never twice the same, and small enough for every column.
_NUMBERS = itertools.count(1000)


def token() -> str:
    """Return a new token, of letters and digits that every field takes."""
    return MARK + secrets.token_hex(6)


def personal_fields(metadata: MetaData) -> dict[str, Form]:
    """Return `table.column` of each personal field that can hold a text, with its form."""
    return {
        f"{table.name}.{column.name}": column.info["form"]
        for table in metadata.sorted_tables
        for column in table.columns
        if _is_personal(table, column)
    }


def plant(
    connection: psycopg.Connection[Any],
    session: Session,
    parts: Parts,
    metadata: MetaData,
    fields: dict[str, str],
) -> None:
    """Write a row for each field that the product did not fill, with the token in it.

    Args:
        connection: of the superuser, as rows that hang on others are written without those.
        session: makes the data keys; committed by the caller before.
        parts: the open region.
        metadata: the declared tables.
        fields: `table.column` -> token.
    """
    connection.execute("SET session_replication_role = replica")
    for place, text in fields.items():
        table_name, _, column = place.partition(".")
        table = metadata.tables[table_name]
        row = {one.name: _filler(one) for one in table.columns if _is_needed(one)}
        row[column] = text
        if table.columns[column].info["form"] is Form.SEALED:
            owner_id = row[key_owner(table, column)]
            row[column] = _key(session, parts, owner_id).seal_at(table_name, column, text)
        else:
            row[column] = _shaped(table.columns[column], text)
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table_name), names, sql.SQL(", ").join(sql.Placeholder() * len(row))
        )
        session.flush()
        connection.execute(statement, list(row.values()))


def _is_personal(table: Table, column: Column[Any]) -> bool:
    form = column.info["form"]
    if form is Form.SEALED:
        return True
    is_persons = rows_of(table, 0, ERASED_BY) is not None
    return is_persons and form is not Form.OPERATIONAL and _python(column) in (str, list, object)


def _python(column: Column[Any]) -> type:
    try:
        return column.type.python_type
    except NotImplementedError:
        return object


def _is_needed(column: Column[Any]) -> bool:
    return bool(column.primary_key or not column.nullable)


def _filler(column: Column[Any]) -> Any:
    kind = _python(column)
    if kind is int:
        return next(_NUMBERS)
    values = {
        str: "planted",
        bytes: b"planted",
        bool: False,
        float: 0.0,
        datetime: datetime.now(UTC),
        date: datetime.now(UTC).date(),
        list: [],
    }
    return values.get(kind, Jsonb({}))


def _shaped(column: Column[Any], text: str) -> Any:
    kind = _python(column)
    return text if kind is str else [text] if kind is list else Jsonb([text])


def _key(session: Session, parts: Parts, owner_id: int) -> Any:
    try:
        return data_key(session, parts, owner_id)
    except Gone:
        return make_key(session, parts, owner_id)
