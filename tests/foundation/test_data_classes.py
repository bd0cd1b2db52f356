"""Every table and column declares its data class, and the boot refuses one that does not."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from reelm import app
from reelm.foundation.config import load
from reelm.foundation.database import Base
from reelm.foundation.database.classes import FOREIGN_TABLES, Form, undeclared
from reelm.foundation.errors import Unavailable
from reelm.foundation.home import Home
from reelm.foundation.parts import Parts


def test_nothing_in_the_catalogue_is_undeclared(parts: Parts) -> None:
    with parts.transaction() as session:
        assert undeclared(Base.metadata, app.catalogue(session)) == []


def test_nothing_declared_is_missing_from_the_catalogue(parts: Parts) -> None:
    with parts.transaction() as session:
        tables = app.catalogue(session)
    declared = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
    }
    there = {(table, column) for table, columns in tables.items() for column in columns}
    assert declared - there == set()
    assert set(FOREIGN_TABLES) - set(tables) == set()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE stray (id int)", "table stray"),
        ("ALTER TABLE video ADD COLUMN stray int", "column video.stray"),
        ("ALTER TABLE signal ADD COLUMN stray int", "column signal.stray"),
        (
            (
                "CREATE SCHEMA other; CREATE TABLE other.whole (id int) PARTITION BY RANGE (id);"
                " CREATE TABLE signal_2026_01_01 PARTITION OF other.whole DEFAULT"
            ),
            "table other.whole",
        ),
    ],
)
def test_the_boot_refuses_what_declares_nothing(
    home: Home, owner: str, statement: str, words: str
) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(statement)
    with pytest.raises(Unavailable, match=words):
        app.prepare(home, load(home.path, {}), owner)


def test_sealed_columns_hold_bytes() -> None:
    sealed = [
        column
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info["form"] is Form.SEALED
    ]
    assert len(sealed) >= 4
    assert all(column.type.python_type is bytes for column in sealed)


def test_the_migrations_make_what_the_models_declare(owner: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    # Tables of libraries and partitions are in the catalogue only.
    assert [d for d in differences if not _is_foreign(d)] == []


def _is_foreign(difference: tuple[object, ...]) -> bool:
    kind, thing = difference[0], difference[1]
    names = {getattr(thing, "name", ""), getattr(getattr(thing, "table", None), "name", "")}
    return str(kind).startswith("remove") and bool(names & {*FOREIGN_TABLES, "signal_default"})
