"""The data map names everything that holds data, and docs/data-map.md is what it prints."""

import subprocess
import sys
from pathlib import Path

from tests.commands.factory import reelm

import reelm as package
from reelm import app, regions
from reelm.commands.data_map import RENEW
from reelm.foundation.classes import Form, Place, declared
from reelm.foundation.database import Base
from reelm.foundation.database.classes import FOREIGN_TABLES

PAGE = Path(__file__).parents[2] / "docs/data-map.md"
SOURCE = Path(package.__file__).parent


def test_the_map_names_every_table_and_column_of_the_catalogue(parts):
    found = reelm("data", "map", "--json").json()
    mapped = {table["name"]: {c["name"] for c in table["columns"]} for table in found["tables"]}
    with parts.transaction() as session:
        catalogue = app.catalogue(session)
    assert catalogue.keys() - mapped.keys() == set()
    for table, columns in catalogue.items():
        assert table in FOREIGN_TABLES or columns == mapped[table]


def test_the_map_names_all_else_that_holds_data(parts):
    found = reelm("data", "map", "--json").json()
    names = {
        place: {one["name"] for one in found[key]}
        for place, key in (
            (Place.OBJECTS, "object_prefixes"),
            (Place.QUEUE, "job_queues"),
            (Place.LOG_FIELD, "log_fields"),
            (Place.LABEL, "metric_labels"),
            (Place.FILES, "files"),
        )
    }
    for place, there in names.items():
        assert there == set(declared(place))
        assert there
    assert {path.name for path in parts.home.path.iterdir()} <= names[Place.FILES]
    assert set(app.queues(parts.settings)) == names[Place.QUEUE]
    assert all(one["holds"] for key in found if key != "tables" for one in found[key]), (
        "each says what it holds"
    )


def test_the_personal_columns_say_enough_to_plant_a_token_in_each():
    found = regions.data_map(Base.metadata)
    personal = {(table.name, column.name): column for table, column in found.personal_columns()}
    for place in (("account", "handle"), ("comment", "body"), ("upload", "draft")):
        assert personal[place].holds_text
    assert not personal["video_like", "created_at"].holds_text
    assert ("audit_entry", "body") not in personal
    assert ("credential", "password_hash") not in personal
    for (table, name), column in personal.items():
        if column.form is Form.SEALED:
            assert str(column.key) in Base.metadata.tables[table].columns, name


def test_a_column_that_erasure_leaves_is_shown_as_kept():
    found = regions.data_map(Base.metadata)
    report = next(table for table in found.tables if table.name == "report")
    erasure = {column.name: column.erasure for column in report.columns}
    assert (erasure["contact"], erasure["target_id"]) == ("anonymise", "keep")


def test_the_page_is_what_the_command_prints():
    printed = reelm("data", "map", "--markdown").out
    assert PAGE.read_text("utf-8") == printed, f"docs/data-map.md is stale: {RENEW}"


def test_people_get_a_table():
    ran = reelm("data", "map")
    assert ran.status == 0
    for words in ("account_private", "birth_date", "renditions", "Metric labels", "backups"):
        assert words in ran.out


def test_whatever_declares_something_is_loaded_with_the_app():
    loaded = subprocess.run(
        [sys.executable, "-c", "import reelm.app, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    declaring = {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        for path in SOURCE.rglob("*.py")
        if "import declare" in (text := path.read_text("utf-8"))
        or " declare,\n" in text
        or ", declare\n" in text
    }
    assert declaring
    assert declaring - set(loaded) == set()
