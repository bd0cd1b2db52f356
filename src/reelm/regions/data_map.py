"""The data map: everything that holds data, with what it declares, as plain values.

It reads the declarations that the boot has checked, so nothing can be missing from it. The columns
say enough to plant a token in each personal one, to seal it for a sale, and to erase it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Column, MetaData, Table

from reelm.foundation.classes import (
    DataClass,
    Declared,
    Erasure,
    Form,
    Place,
    Retention,
    declared,
)
from reelm.foundation.database.classes import FOREIGN_TABLES


class ColumnEntry(msgspec.Struct, frozen=True):
    """One column; `key` names the column with the id of the data key that seals it."""

    name: str
    type: str
    form: Form
    erasure: Erasure
    is_personal: bool
    holds_text: bool
    key: str | None


class TableEntry(msgspec.Struct, frozen=True):
    """One table; `columns` is empty for tables of libraries, which hold ids and nobody's words."""

    name: str
    residency: str
    transfer: str
    erasure: str
    reason: str
    retention: str
    columns: list[ColumnEntry]


class NamedEntry(msgspec.Struct, frozen=True):
    """A prefix, queue, field, label or file."""

    name: str
    holds: str
    residency: str
    transfer: str
    erasure: str
    reason: str


class DataMap(msgspec.Struct, frozen=True):
    """All that holds data in a region."""

    tables: list[TableEntry]
    object_prefixes: list[NamedEntry]
    job_queues: list[NamedEntry]
    log_fields: list[NamedEntry]
    metric_labels: list[NamedEntry]
    files: list[NamedEntry]

    def personal_columns(self) -> Iterator[tuple[TableEntry, ColumnEntry]]:
        """Yield each column that may say something of a person, with its table."""
        for table in self.tables:
            for column in table.columns:
                if column.is_personal:
                    yield table, column


def data_map(metadata: MetaData) -> DataMap:
    """Return the data map of everything that is declared in this process."""
    own = [_table(table) for table in metadata.tables.values()]
    foreign = [_entry(name, data, []) for name, data in FOREIGN_TABLES.items()]
    return DataMap(
        sorted(own + foreign, key=lambda table: table.name),
        *([_named(one) for one in declared(place).values()] for place in _IN_ORDER),
    )


_IN_ORDER = (Place.OBJECTS, Place.QUEUE, Place.LOG_FIELD, Place.LABEL, Place.FILES)


def _table(table: Table) -> TableEntry:
    data: DataClass = table.info["data"]
    return _entry(str(table.name), data, [_column(data, column) for column in table.columns])


def _entry(name: str, data: DataClass, columns: list[ColumnEntry]) -> TableEntry:
    kept = _kept(data.retention) if data.retention is not None else ""
    return TableEntry(name, data.residency, data.transfer, data.erasure, data.reason, kept, columns)


def _kept(retention: Retention) -> str:
    by_rule = "for ever" if retention.days is None else f"{retention.days} days"
    days = f"`{retention.days_key}`, else {by_rule}" if retention.days_key else by_rule
    floor = ", and `log_retention_days` at least" if retention.is_log else ""
    return f"{days} from `{retention.column}`{floor}"


def _column(data: DataClass, column: Column[Any]) -> ColumnEntry:
    form: Form = column.info["form"]
    erasure = data.erasure
    if erasure is Erasure.ANONYMISE and "anonymised" not in column.info:
        erasure = Erasure.KEEP
    sealed = form is Form.SEALED
    return ColumnEntry(
        name=str(column.name),
        type=str(column.type).lower(),
        form=form,
        erasure=erasure,
        is_personal=_is_personal(form, data),
        holds_text=sealed or column.type.python_type in {str, list, dict},
        key=column.info.get("key", "account_id") if sealed else None,
    )


def _is_personal(form: Form, data: DataClass) -> bool:
    # What is public and kept when somebody is erased is about nobody: the audit log, authorities.
    return form in {Form.SEALED, Form.BEHAVIOUR} or (
        form is Form.PUBLIC and data.erasure is not Erasure.KEEP
    )


def _named(one: Declared) -> NamedEntry:
    data = one.data
    return NamedEntry(one.name, one.holds, data.residency, data.transfer, data.erasure, data.reason)
