"""Whatever holds data declares its data class, and the boot refuses what does not."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import create_engine

import reelm
from reelm import app
from reelm.foundation.classes import (
    DataClass,
    Erasure,
    Place,
    Residency,
    Transfer,
    declare,
    declared,
)
from reelm.foundation.config import load
from reelm.foundation.database import Base
from reelm.foundation.database.classes import FOREIGN_TABLES, Form, undeclared
from reelm.foundation.errors import Unavailable
from reelm.foundation.home import Home
from reelm.foundation.jobs import Task
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts
from reelm.web import metrics

SOURCE = Path(reelm.__file__).parent
# What takes in keys that were made elsewhere; the store refuses kinds that nobody declared.
TAKING_IN = {"restore.py", "import_.py"}


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


def test_the_boot_refuses_an_object_prefix_that_nobody_declared(home: Home, owner: str) -> None:
    settings = load(home.path, {})
    app.prepare(home, settings, owner)
    stray = home.objects / "strays" / "ab"
    stray.mkdir(parents=True)
    (stray / ("ab" * 32)).write_bytes(b"a copy that nobody knows of")
    with pytest.raises(Unavailable, match=r"object prefix 'strays': call `declare\(Place\.OBJECTS"):
        app.prepare(home, settings, owner)


def test_the_boot_refuses_a_queue_that_nobody_declared(
    home: Home, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "queues", lambda _settings: {"default": 1, "strays": 1})
    with pytest.raises(Unavailable, match=r"job queue 'strays': call `declare\(Place\.QUEUE"):
        app.prepare(home, load(home.path, {}), owner)


def test_the_boot_refuses_a_metric_label_that_nobody_declared(
    home: Home, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Strays:
        def collect(self) -> Iterator[GaugeMetricFamily]:
            family = GaugeMetricFamily("strays", "A collector of its own.", labels=["handle"])
            family.add_metric(["ana"], 1)
            yield family

    registry = CollectorRegistry()
    registry.register(Strays())
    monkeypatch.setattr(metrics, "REGISTRY", registry)
    with pytest.raises(Unavailable, match=r"metric label 'handle': call `declare\(Place\.LABEL"):
        app.prepare(home, load(home.path, {}), owner)


def test_a_task_a_metric_and_a_line_of_the_log_are_refused_when_they_are_made() -> None:
    with pytest.raises(Unavailable, match=r"job queue 'strays': call `declare\(Place\.QUEUE"):
        Task("strays.feed", queue="strays")
    with pytest.raises(Unavailable, match=r"metric label 'handle'"):
        Counter("strays", "Strays by handle.", ["handle"], registry=metrics.REGISTRY)
    with pytest.raises(Unavailable, match=r"log field 'handle': call `declare\(Place\.LOG_FIELD"):
        Line("{handle} has a stray")


def test_every_queue_kind_and_label_that_is_used_is_declared() -> None:
    queues = {task.queue for task in app.JOBS}
    assert queues - declared(Place.QUEUE).keys() == set()
    assert declared(Place.QUEUE).keys() - queues == set(), "a queue without a task"
    metrics.answered("GET", "/", 200, 0.1)
    metrics.JOBS.labels("queued").set(1)
    metrics.FEED.labels("seq").set(1)
    assert metrics.labels() - declared(Place.LABEL).keys() == set()
    assert stored_kinds() - declared(Place.OBJECTS).keys() == set()


def stored_kinds() -> set[str]:
    """Every kind that the source names where it stores an object: a text, or a constant."""
    kinds = set()
    for path, call in calls({"put_file", "put_bytes"}):
        kind = call.args[0]
        if isinstance(kind, ast.Constant):
            kinds.add(str(kind.value))
        elif isinstance(kind, ast.Name):
            module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
            kinds.add(getattr(importlib.import_module(module), kind.id))
        else:
            assert path.name in TAKING_IN, f"name the kind by a constant in {path}"
    return kinds


def test_every_line_of_the_log_is_a_constant_with_declared_fields() -> None:
    found = calls({"debug", "info", "warning", "error", "exception", "critical"})
    faults = [
        f"{path.relative_to(SOURCE)}: {ast.unparse(call)}"
        for path, call in found
        if isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) in {"log", "logger", "logging"}
        and "logging.getLogger" in path.read_text("utf-8")
        and not (isinstance(call.args[0], ast.Call) and ast.unparse(call.args[0].func).isupper())
    ]
    assert faults == [], "write each as a Line: see foundation/logs.py"


def calls(names: set[str]) -> Iterator[tuple[Path, ast.Call]]:
    """Yield each call of a method with one of these names, in the whole source."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in names:
                yield path, node


def test_the_entries_of_a_region_home_are_declared(home: Home) -> None:
    there = {path.name for path in home.path.iterdir()}
    assert there - declared(Place.FILES).keys() == set()


def test_one_name_has_one_declaration() -> None:
    data = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)
    with pytest.raises(ValueError, match="declared twice"):
        declare(Place.OBJECTS, "posters", "something else", data)


def test_what_does_not_transfer_says_why() -> None:
    with pytest.raises(ValueError, match="written reason"):
        DataClass(Residency.REGION, Transfer.EXCLUDE, Erasure.KEEP)


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
