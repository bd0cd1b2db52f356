"""The documents of the data room: each is made from declarations, programs or counts."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from reelm import regions
from reelm.audit.materials import running_bill
from reelm.foundation.database import Base
from reelm.foundation.parts import Parts
from reelm.transfer.room.aggregates import aggregates
from reelm.transfer.room.synthetic import synthetic
from reelm.transfer.scope import schema
from reelm.videos.programs import programs

SCHEMA_FORM = "reelm-room-schema/1"
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # it has no types


class Document(msgspec.Struct, frozen=True):
    """A document of the data room, JSON: what it tells, and how it is made."""

    about: str
    make: Callable[[Session, Parts], bytes]


class Shown(msgspec.Struct, frozen=True):
    """A document as it was shown; `digest` is the SHA-256 of its bytes, in hex."""

    name: str
    body: bytes
    digest: str


def _schema(session: Session, parts: Parts) -> bytes:
    tables = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    told = {
        "form": SCHEMA_FORM,
        "migration": schema(session),
        "policy_pack": parts.settings.region.jurisdiction,
        "tables": {str(table.name): _table(table) for table in tables},
        "data_map": regions.data_map(Base.metadata),
    }
    return _json(told)


def _table(table: Table) -> dict[str, Any]:
    return {
        "primary_key": [column.name for column in table.primary_key.columns],
        "columns": {column.name: _column(column) for column in table.columns},
        "references": sorted(
            f"{key.parent.name} -> {key.target_fullname}" for key in table.foreign_keys
        ),
    }


def _column(column: Column[Any]) -> dict[str, Any]:
    kind = column.type.compile(dialect=_POSTGRESQL).lower()
    return {"type": kind, "nullable": bool(column.nullable)}


def _sbom(_session: Session, parts: Parts) -> bytes:
    return running_bill(programs(parts.settings)).document


def _aggregates(session: Session, parts: Parts) -> bytes:
    return _json(aggregates(session, parts.store))


def _synthetic(_session: Session, _parts: Parts) -> bytes:
    return _json(synthetic(Base.metadata))


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


DOCUMENTS: Mapping[str, Document] = {
    "schema": Document(
        "Migration, tables and columns, and the data map: what each holds and what becomes of it.",
        _schema,
    ),
    "sbom": Document(
        "All software that runs, with version, licence and SHA-256 (CycloneDX 1.6).",
        _sbom,
    ),
    "aggregates": Document(
        "How much there is of what, as numbers in steps of ten; less than ten is not told.",
        _aggregates,
    ),
    "synthetic": Document(
        "Rows made up from the columns' declarations; no row that there is went into them.",
        _synthetic,
    ),
}
