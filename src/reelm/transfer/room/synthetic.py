"""Rows that are made up: each value follows from its column's name and type, and from a number.

The first row of one table goes with the first of every other: all their ids are 1. No row that
there is is read.
"""

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Column, MetaData, Table

from reelm.foundation.classes import Transfer

FORM = "reelm-room-synthetic/1"
ROWS = 3
NOTE = "SYNTHETIC: made up from the declarations of the columns; nobody's data."
_BEGAN = datetime(2000, 1, 1, tzinfo=UTC)


class Synthetic(msgspec.Struct, frozen=True):
    """Rows of each table that goes along; `note` says of them that they are made up."""

    form: str
    is_synthetic: bool
    note: str
    tables: dict[str, list[dict[str, Any]]]


def synthetic(metadata: MetaData) -> Synthetic:
    """Make up rows of every table that goes along in a sale."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return Synthetic(
        FORM,
        True,
        NOTE,
        {
            str(table.name): [_row(table, number) for number in range(1, ROWS + 1)]
            for table in tables
            if table.info["data"].transfer is Transfer.TRANSFER
        },
    )


def _row(table: Table, number: int) -> dict[str, Any]:
    return {str(column.name): _value(column, number) for column in table.columns}


def _value(column: Column[Any], number: int) -> Any:
    words = f"synthetic {column.name.replace('_', ' ')} {number}"
    if isinstance(column.type, ARRAY):
        return [words]
    made = {
        bool: number % 2 == 0,
        int: number,
        float: float(number),
        str: words,
        bytes: base64.b64encode(words.encode()).decode(),
        datetime: _BEGAN + timedelta(days=number),
        date: (_BEGAN + timedelta(days=number)).date(),
        list: [words],
    }
    return made.get(_python(column), {"synthetic": number})


def _python(column: Column[Any]) -> type:
    try:
        return column.type.python_type
    except NotImplementedError:
        return object
