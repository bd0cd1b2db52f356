"""Objects and the days that are over go into the bundle ahead of the seal."""

from datetime import date

import psycopg
import pytest
from tests.transfer.bundle_factory import bought, fill, sealed, sold

from reelm.transfer.bundle import copy_closed_days, copy_objects, verify

TODAY = date(2026, 11, 21)


@pytest.fixture
def made(owner, parts, tmp_path):
    """A region with edge values and at least three days in its log, for sale."""
    fill(owner, parts, rows=8, seed=1)
    with psycopg.connect(owner) as connection:
        connection.execute("ALTER TABLE signal DISABLE TRIGGER USER")
        for day in ("2026-11-19", "2026-11-20", "2026-11-21"):
            connection.execute(
                "UPDATE signal SET day = %s WHERE seq = (SELECT seq FROM signal WHERE day NOT IN"
                " ('2026-11-19', '2026-11-20') ORDER BY seq LIMIT 1)",
                [day],
            )
    return sold(owner, parts, tmp_path / "bundle")


def copied(made):
    return copy_closed_days(made.owner, made.folder, made.notes, made.sale, made.keys, today=TODAY)


def days_of(made):
    return {path: path.stat().st_ino for path in (made.folder / "tables/signal").glob("*-0000.age")}


def test_the_seal_writes_no_day_again_that_was_copied_ahead(made, parts, buyer):
    count = copied(made)
    before = days_of(made)
    assert len(before) == count >= 2
    assert all(path.name < f"{TODAY}" for path in before)
    assert copied(made) == 0
    sealed(made, parts)
    after = days_of(made)
    assert before.items() <= after.items()
    assert len(after) > len(before), "the day that was not over is written by the seal"
    assert bought(made, buyer).rows["signal"] == 8


def test_a_day_of_which_a_row_went_since_is_written_again(made, parts, owner):
    copied(made)
    before = days_of(made)
    with psycopg.connect(owner) as connection:
        connection.execute("DELETE FROM signal WHERE day = '2026-11-20'")
        connection.execute("UPDATE signal SET watched_ms = 7 WHERE day = '2026-11-19'")
    sealed(made, parts)
    after = days_of(made)
    assert not [path for path in after if path.name.startswith("2026-11-20")]
    [changed] = [path for path in after if path.name.startswith("2026-11-19")]
    assert after[changed] != before[changed]
    verify(made.folder, made.identity, made.expected)


def test_a_bundle_is_not_whole_any_more_when_days_are_copied_again(made, parts):
    sealed(made, parts)
    copied(made)
    assert not (made.folder / "bundle.json").exists()


def test_objects_go_ahead_and_are_copied_once(made, parts):
    first = copy_objects(made.owner, parts.store, made.folder, made.sale.recipient)
    assert first >= 4
    assert copy_objects(made.owner, parts.store, made.folder, made.sale.recipient) == 0
    before = {path: path.stat().st_ino for path in (made.folder / "objects").rglob("*.age")}
    manifest = sealed(made, parts)
    assert manifest.objects.count >= first
    assert all(path.stat().st_ino == before[path] for path in before)
