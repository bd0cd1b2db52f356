"""Export everything of an account as a zip, made while it is sent.

Nothing is gathered first, in memory or on disk: rows are read in batches by primary key, each in
a short transaction, and media is copied from the object store in pieces.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Table, select, tuple_

from reelm.accounts.export_media import media_files
from reelm.accounts.export_text import README
from reelm.accounts.keys import DataKey, data_key, key_owner
from reelm.accounts.persons import EXPORTED_BY, tables_of_persons
from reelm.foundation.clock import now
from reelm.foundation.database import Base, Session
from reelm.foundation.database.classes import Form
from reelm.foundation.errors import Gone, Missing
from reelm.foundation.parts import Parts

BATCH = 500
# What opens the account or its data in other hands; a person has no use for it.
SECRETS = frozenset({
    "account_key.wrapped_key", "credential.password_hash", "recovery_code.code_hash",
    "session.token_hash", "second_factor.secret", "report.code_hash",
})  # fmt: skip
LEFT_OUT = "(a secret of the service, left out)"
UNREADABLE = "(its key was destroyed, nobody can read it)"


def export_account(
    parts: Parts, account_id: int, more: Mapping[str, bytes] = MappingProxyType({})
) -> Iterator[bytes]:
    """Yield the bytes of a zip with everything the region holds of the account.

    Args:
        parts: the open region.
        account_id: whose.
        more: names and bytes of files that rooms above add, about what is not in a table.
    """
    sink = _Sink()
    # Media does not get smaller by another compression, so only the texts are compressed.
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        yield from _member(archive, sink, "README.txt", [README.encode()])
        yield from _member(archive, sink, "account.json", _document(parts, account_id), small=True)
        for name, data in more.items():
            yield from _member(archive, sink, name, [data], small=True)
        missing: list[str] = []
        for name, chunks in media_files(parts, account_id):
            try:
                yield from _member(archive, sink, name, chunks)
            except Missing:
                missing.append(name)
        if missing:
            lines = "These files were removed while the export was made:\n" + "\n".join(missing)
            yield from _member(archive, sink, "MISSING.txt", [lines.encode()])
    yield sink.taken()


def exported_tables(account_id: int) -> dict[str, ColumnElement[bool]]:
    """Return the tables that an export reads, with the condition that finds the rows."""
    found = tables_of_persons(Base.metadata, account_id, EXPORTED_BY)
    return {str(table.name): condition for table, condition in found}


class _Sink:
    """Where the zip is written: it cannot be sought in, and is emptied as it is sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        """Keep some bytes until they are taken."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: `taken` empties it."""

    def close(self) -> None:
        """Do nothing: it belongs to no file."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _member(
    archive: zipfile.ZipFile,
    sink: _Sink,
    name: str,
    chunks: Iterable[bytes],
    *,
    small: bool = False,
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, now().timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as member:
        for chunk in chunks:
            member.write(chunk)
            yield sink.taken()


def _document(parts: Parts, account_id: int) -> Iterator[bytes]:
    head = {"account_id": str(account_id), "made_at": now()}
    yield msgspec.json.encode(head)[:-1] + b',"tables":{'
    for number, (name, condition) in enumerate(exported_tables(account_id).items()):
        yield (b"," if number else b"") + b"\n" + msgspec.json.encode(name) + b":["
        first = True
        for row in _rows(parts, Base.metadata.tables[name], condition):
            yield (b"\n" if first else b",\n") + msgspec.json.encode(row)
            first = False
        yield b"]"
    yield b"}}\n"


def _rows(parts: Parts, table: Table, condition: ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    key = list(table.primary_key.columns)
    query = select(table).where(condition).order_by(*key).limit(BATCH)
    page = query
    while True:
        with parts.transaction() as session:
            rows = session.execute(page).mappings().all()
            keys = _Keys(session, parts)
            opened = [_opened(keys, table, row) for row in rows]
        yield from opened
        if len(rows) < BATCH:
            return
        last = [rows[-1][column.name] for column in key]
        page = query.where(tuple_(*key) > tuple_(*last))


def _opened(keys: "_Keys", table: Table, row: RowMapping) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for column in table.columns:
        value = row[column.name]
        if f"{table.name}.{column.name}" in SECRETS:
            value = LEFT_OUT
        elif column.info["form"] is Form.SEALED:
            value = keys.opened(table, column.name, row)
        result[str(column.name)] = _plain(column.name, value)
    return result


class _Keys:
    """The data keys that the rows of one page need, each unwrapped once."""

    def __init__(self, session: Session, parts: Parts) -> None:
        self.session, self.parts = session, parts
        self.known: dict[int, DataKey] = {}

    def opened(self, table: Table, column: str, values: RowMapping) -> str:
        """Return the text of a sealed column, or a sentence that nobody can read it."""
        sealed: bytes = values[column]
        if not sealed:
            return ""
        owner_id = values[key_owner(table, column)]
        try:
            if owner_id not in self.known:
                self.known[owner_id] = data_key(self.session, self.parts, owner_id)
        except Gone:
            return UNREADABLE
        return self.known[owner_id].open_at(table.name, column, sealed)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, int) and (name == "id" or name.endswith("_id")):
        return str(value)  # 63 bits are more than a number in JavaScript holds
    if value is None or isinstance(value, bool | int | float | str | list | dict | date | datetime):
        return value
    return bytes(value).hex()
