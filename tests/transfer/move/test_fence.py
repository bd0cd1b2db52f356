"""The fence holds against whoever opens the region meanwhile, and tells those who still serve."""

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest
from sqlalchemy import text
from tests.transfer.move.stages import ORDER

from reelm import app, audit, regions
from reelm.feed.log import snapshots
from reelm.feed.log.days import keep_days
from reelm.feed.ranker import State
from reelm.foundation.database import roles
from reelm.foundation.egress import tally
from reelm.foundation.errors import Departed, Frozen
from reelm.foundation.parts import Parts
from reelm.regions.clock_watch import Clocks, mark_clocks, read_clocks
from reelm.regions.egress import Recorder, refusal_counts
from reelm.regions.retention import delete_outlived
from reelm.transfer import move


def test_a_command_that_opens_the_region_at_the_freeze_gives_no_leave_back(stages, monkeypatch):
    ensure = roles.ensure_app

    def freeze_before_it(*given: Any) -> None:
        ORDER["frozen"](moving)
        ensure(*given)

    monkeypatch.setattr(app, "ensure_app", freeze_before_it)
    with stages.at("rehearsed") as moving:
        home, settings = moving.seller.home, moving.seller.settings
        app.prepare(home, settings, moving.seller.database.conninfo)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            moving.write(moving.serving, "DELETE FROM follow")


def test_a_command_that_opens_the_region_at_the_cutover_is_told_that_it_has_gone(
    stages, monkeypatch
):
    ensure = roles.ensure_app

    def cut_over_before_it(*given: Any) -> None:
        with moving.seller.transaction() as session:
            move.thaw(session, moving.known())  # as if no freeze were there to be seen
            session.execute(text("UPDATE tenure SET ended_at = now()"))
        ensure(*given)

    monkeypatch.setattr(app, "ensure_app", cut_over_before_it)
    with stages.at("verified") as moving:
        home, settings = moving.seller.home, moving.seller.settings
        with pytest.raises(Departed):
            app.prepare(home, settings, moving.seller.database.conninfo)


def test_who_still_serves_after_the_cutover_says_that_it_is_gone(stages):
    with stages.at("verified") as moving:
        with moving.serving.transaction() as session:  # a connection that stays open
            session.execute(text("SELECT 1"))
        ORDER["signed"](moving)
        for statement in ("DELETE FROM session", "SELECT FROM account"):
            with pytest.raises(Departed), moving.serving.transaction() as session:
                session.execute(text(statement))


def test_an_entry_that_comes_between_the_log_and_the_seal_is_sealed_too(stages, monkeypatch):
    integrate, came = audit.integrate, list[int]()

    def integrate_and_log(*given: Any) -> None:
        integrate(*given)
        if not came:
            with moving.serving.transaction() as session:
                came.append(audit.record(session, "accounts.reset", account_id="1"))

    monkeypatch.setattr(audit, "integrate", integrate_and_log)
    with stages.at("frozen") as moving:
        for stage in ("sealed", "verified", "signed", "over"):
            ORDER[stage](moving)
        with moving.buyer.transaction() as session:
            query = "SELECT id FROM audit_entry WHERE kind = 'accounts.reset'"
            assert session.scalars(text(query)).all() == came


def test_what_the_service_does_by_itself_waits_until_the_freeze_has_ended(stages):
    with stages.at("verified") as moving:
        recorder, clocks = refused_once(moving.serving), jumped(moving.serving)
        run_by_itself(moving.serving, recorder, clocks)
        assert audit.integrate(moving.seller.database, regions.audit_signer(moving.seller)) == 0
        assert refusal_counts(moving.serving.home.path) == {("b", "web"): 1}, "counted all the same"
        ORDER["signed"](moving)
    with stages.at("verified") as moving:
        recorder, clocks = refused_once(moving.serving), jumped(moving.serving)
        run_by_itself(moving.serving, recorder, clocks)
        with moving.seller.transaction() as session:
            move.thaw(session, moving.known())
        run_by_itself(moving.serving, recorder, clocks)
        with moving.seller.transaction() as session:
            for kind in ("egress.refused", "regions.clocks_differ", "feed.model_snapshot"):
                assert audit.newest_entry(session, kind) is not None, kind


@pytest.mark.parametrize("waits", [delete_outlived, keep_days])
def test_what_is_outlived_is_dropped_after_the_freeze(waits, stages):
    with stages.at("frozen") as moving, pytest.raises(Frozen):
        waits(moving.serving)


def test_cosignatures_are_taken_after_the_freeze(stages):
    with (
        stages.at("frozen") as moving,
        pytest.raises(Frozen),
        moving.serving.transaction() as session,
    ):
        session.execute(text("INSERT INTO audit_cosignature SELECT * FROM audit_cosignature"))


def refused_once(parts: Parts) -> Recorder:
    """Count a refusal, and return what logs it."""
    (parts.home.path / tally.FOLDER).mkdir(exist_ok=True)
    counting = tally.Tally(parts.home.path)
    counting.count(tally.Refusal("web", "b", "socket", "AF_INET6"))
    counting.write()
    return Recorder(parts)


def jumped(parts: Parts) -> Clocks:
    """Mark the clocks, and return them with a date that was set forward."""
    clocks = read_clocks()
    with parts.transaction() as session:
        mark_clocks(session, clocks)
    return msgspec.structs.replace(clocks, shown=clocks.shown + timedelta(hours=5))


def run_by_itself(parts: Parts, recorder: Recorder, clocks: Clocks) -> None:
    """Do what a service does without being asked."""
    recorder.collect()
    with parts.transaction() as session:
        mark_clocks(session, clocks)
    snapshots.save(parts, State({"version": 1}, {"seen": np.zeros(3)}), 1)
