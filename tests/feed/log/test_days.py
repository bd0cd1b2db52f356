"""Partitions of the log: made ahead, dropped in time, and nothing lost without one."""

from datetime import date, timedelta

import msgspec
import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, ProgrammingError

from reelm import regions
from reelm.audit.models import AuditEntry
from reelm.feed.log import days
from reelm.foundation.clock import now

TODAY = now().date()
ROW = "INSERT INTO signal SELECT 1, :seq, :day, now(), 2, 1, 0, 0, 0, false, 1, 3, 0, 'x', 1, '', 1"


def _parts_of(parts):
    with psycopg.connect(parts.database.conninfo) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = 'signal'::regclass ORDER BY relname"
        )
        return [row[0] for row in rows]


def _name(day: date) -> str:
    return f"signal_{day:%Y_%m_%d}"


def _insert(parts, day, seq=1):
    with parts.transaction() as session:
        session.execute(text(ROW), {"seq": seq, "day": day})


def _where(parts):
    with parts.transaction() as session:
        return list(session.scalars(text("SELECT tableoid::regclass::text FROM signal")))


def _fact(value):
    if value is None:
        return regions.Fact(unset="no source was read")
    return regions.Fact(value=value, source="a test", read_on="2026-11")


@pytest.fixture
def keeping(monkeypatch):
    def keep(impressions=None, logs=None):
        pack = msgspec.structs.replace(
            regions.load_pack("neutral"),
            impression_retention_days=_fact(impressions)
            if impressions
            else regions.Fact(unset="-"),
            log_retention_days=_fact(logs) if logs else regions.Fact(unset="-"),
        )
        monkeypatch.setattr(regions, "load_pack", lambda _: pack)
        return pack

    return keep


def test_days_are_made_ahead_once(parts):
    with parts.transaction() as session:
        assert len(days.make_days(session)) == days.AHEAD_DAYS + 2
        assert days.make_days(session) == []
    assert _name(TODAY) in _parts_of(parts)
    _insert(parts, TODAY)
    assert _where(parts) == [_name(TODAY)]


def test_a_day_without_a_partition_is_kept_and_moves_when_it_is_made(parts):
    _insert(parts, TODAY)
    _insert(parts, TODAY - timedelta(days=500), seq=2)
    assert _where(parts) == ["signal_default"] * 2
    with parts.transaction() as session:
        days.make_days(session)
    assert sorted(_where(parts)) == [_name(TODAY), "signal_default"]


def test_days_past_their_time_are_dropped_and_this_is_logged(parts, owner, keeping):
    keeping(impressions=3)
    old = TODAY - timedelta(days=5)
    with psycopg.connect(owner, autocommit=True) as connection:
        for day in (old, TODAY - timedelta(days=3)):
            connection.execute(
                f"CREATE TABLE {_name(day)} PARTITION OF signal"
                f" FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
            )
    _insert(parts, old)
    _insert(parts, TODAY - timedelta(days=3), seq=2)
    _insert(parts, TODAY - timedelta(days=9), seq=3)  # in the default partition
    assert days.keep_days(parts) == [old]
    assert _where(parts) == [_name(TODAY - timedelta(days=3))]
    assert days.keep_days(parts) == []
    with parts.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.kind == "feed.log_dropped"))
        assert entry.one().body == {
            "first": old.isoformat(), "last": old.isoformat(), "kept_days": 3
        }  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "kept"),
    [({}, 400), ({"impressions": 30}, 30), ({"impressions": 30, "logs": 365}, 365),
     ({"logs": 365}, 400), ({"logs": 900}, 900)],
)  # fmt: skip
def test_the_policy_pack_says_how_long(keeping, stated, kept):
    assert days.kept_days(keeping(**stated)) == kept


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT make_signal_day('{TODAY + timedelta(days=61)}')",
        f"SELECT make_signal_day('{TODAY - timedelta(days=3)}')",
        f"SELECT drop_signal_days('{TODAY + timedelta(days=1)}')",
    ],
)
def test_the_functions_refuse_days_that_make_no_sense(parts, statement):
    with pytest.raises(DataError, match="day of the log"), parts.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signal SET watched_ms = 1",
        "TRUNCATE signal",
        "DROP TABLE signal_default",
        "SELECT FROM signal_default",
        f"DELETE FROM {_name(TODAY)}",
        "CREATE TABLE signal_other PARTITION OF signal FOR VALUES FROM ('2020-01-01') TO (now())",
    ],
)
def test_the_serving_role_rewrites_nothing_and_defines_nothing(parts, statement):
    with parts.transaction() as session:
        days.make_days(session)
    refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with refused, parts.transaction() as session:
        session.execute(text(statement))


def test_another_role_may_not_call_the_functions(parts, owner):
    with psycopg.connect(owner) as connection:
        for name in ("make_signal_day", "drop_signal_days"):
            row = connection.execute(
                "SELECT has_function_privilege('pg_monitor', %s, 'EXECUTE'),"
                " prosecdef, proconfig::text FROM pg_proc WHERE proname = %s",
                [f"{name}(date)", name],
            ).fetchone()
            assert row is not None
            assert row[:2] == (False, True)
            assert "search_path=pg_catalog, pg_temp" in row[2]


def test_another_makers_temporary_table_is_not_taken_for_the_log(parts):
    with parts.transaction() as session:
        session.execute(text("CREATE TEMPORARY TABLE signal (day date)"))
        assert days.make_days(session)
    assert _name(TODAY) in _parts_of(parts)
