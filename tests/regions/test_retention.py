"""Rows go when they are past the retention that their table declares, and not before."""

import dataclasses
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select, text, true

from reelm import app, regions
from reelm.audit.models import AuditEntry
from reelm.feed.models import SignalRow
from reelm.foundation.classes import Retention
from reelm.foundation.clock import now
from reelm.foundation.database import Base
from reelm.foundation.database.base import JobReport
from reelm.foundation.jobs import defer
from reelm.regions import retention
from reelm.regions.retention import delete_outlived, kept_days, retentions
from reelm.regions.tasks import RETAIN
from reelm.videos.tasks import SWEEP

SIGNAL = (
    "INSERT INTO signal SELECT 1, :seq, :day, now(), 2, 1, 0, 0, 0, false, 1, 3, 0, 'x', 1, '', 1"
)


def _under(parts, jurisdiction):
    region = msgspec.structs.replace(parts.settings.region, jurisdiction=jurisdiction)
    settings = msgspec.structs.replace(parts.settings, region=region)
    return dataclasses.replace(parts, settings=settings)


def _reports(parts, *ages_days: int):
    with parts.transaction() as session:
        for number, age_days in enumerate(ages_days, 1):
            at = now() - timedelta(days=age_days)
            session.add(JobReport(job_id=number, progress=0, reason=None, updated_at=at))


def _left(parts):
    with parts.transaction() as session:
        return sorted(session.scalars(select(JobReport.job_id)))


def _entries(parts):
    with parts.transaction() as session:
        bodies = session.scalars(
            select(AuditEntry.body).where(AuditEntry.kind == "regions.retention_ran")
        )
        return {body["table"]: body for body in bodies}


def test_what_is_past_its_time_goes_and_the_audit_log_says_how_much(parts):
    _reports(parts, 29, 31, 400)
    delete_outlived(parts)
    assert _left(parts) == [1]
    entry = _entries(parts)["job_report"]
    assert entry["rows"] == 2
    assert entry["older_than"].startswith(f"{now() - timedelta(days=30):%Y-%m-%d}")
    assert _entries(parts)["signal"]["rows"] == 0


def test_a_law_that_keeps_logs_longer_goes_before_any_rule_of_ours(parts):
    _reports(parts, 31, 364, 366)
    delete_outlived(_under(parts, "IN"))
    assert _left(parts) == [1, 2]


def test_signals_outside_their_days_go_too(parts):
    with parts.transaction() as session:
        for seq, age_days in enumerate((399, 401), 1):
            day = (now() - timedelta(days=age_days)).date()
            session.execute(text(SIGNAL), {"seq": seq, "day": day})
    delete_outlived(parts)
    with parts.transaction() as session:
        assert session.scalars(select(SignalRow.seq)).all() == [1]


def test_what_is_held_for_an_authority_stays(parts):
    _reports(parts, 400, 500)

    def held(table):
        return table.columns["job_id"] == 2 if table.name == "job_report" else None

    done = {one.table: one.rows for one in delete_outlived(parts, held)}
    assert _left(parts) == [2]
    assert done["job_report"] == 1
    delete_outlived(parts, lambda table: true() if table.name == "job_report" else None)
    assert _left(parts) == [2]


def test_many_rows_go_in_batches(parts, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    _reports(parts, *([40] * 5), 1)
    done = {one.table: one.rows for one in delete_outlived(parts)}
    assert done["job_report"] == 5
    assert _left(parts) == [6]


def test_jobs_that_ended_long_ago_go_with_their_events_and_others_stay(parts):
    with parts.transaction() as session:
        ended, queued, late = (defer(session, SWEEP) for _ in range(3))
    with parts.transaction() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id IN (:a, :b)"),
            {"a": ended, "b": late},
        )
        session.execute(
            text("UPDATE procrastinate_events SET at = at - interval '31 days' WHERE job_id <> :b"),
            {"b": late},
        )
    assert {one.table: one.rows for one in delete_outlived(parts)}["procrastinate_jobs"] == 1
    with parts.transaction() as session:
        jobs = session.scalars(text("SELECT id FROM procrastinate_jobs")).all()
        events = session.scalars(text("SELECT DISTINCT job_id FROM procrastinate_events")).all()
    assert set(jobs) == set(events) == {queued, late}


@pytest.mark.parametrize(
    ("declared", "stated", "days"),
    [
        (Retention("at"), {}, None),
        (Retention("at", "impression_retention_days"), {}, None),
        (Retention("at", "impression_retention_days"), {"impression_retention_days": 7}, 7),
        (Retention("at", "impression_retention_days", 30), {"impression_retention_days": 7}, 7),
        (Retention("at", days=30), {"log_retention_days": 365}, 30),
        (Retention("at", days=30, is_log=True), {"log_retention_days": 365}, 365),
        (Retention("at", days=400, is_log=True), {"log_retention_days": 365}, 400),
        (Retention("at", is_log=True), {"log_retention_days": 365}, None),
    ],
)
def test_the_pack_goes_before_our_rule_and_unset_is_kept(declared, stated, days):
    facts = {
        key: regions.Fact(value=value, source="a law of this test", read_on="2026-11")
        for key, value in stated.items()
    }
    pack = msgspec.structs.replace(regions.load_pack("neutral"), **facts)
    assert kept_days(pack, declared) == days


def test_a_table_that_is_kept_is_not_touched(parts, monkeypatch):
    kept = [regions.Kept("job_report", Retention("updated_at"), None)]
    monkeypatch.setattr(retention, "retentions", lambda _: kept)
    _reports(parts, 9000)
    assert delete_outlived(parts) == []
    assert _left(parts) == [1]


def test_every_retention_names_a_column_and_a_key_that_are_there():
    keys = regions.meanings().keys() | {""}
    for one in retentions(regions.load_pack("IN")):
        assert one.retention.days_key in keys
        if one.table != retention.JOBS:
            assert one.retention.column in Base.metadata.tables[one.table].columns


def test_it_runs_each_night_as_a_job(parts, run_jobs):
    assert RETAIN in {periodic.task for periodic in app.PERIODIC}
    _reports(parts, 31)
    with parts.transaction() as session:
        defer(session, RETAIN)
    run_jobs()
    assert _left(parts) == []
