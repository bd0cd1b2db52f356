"""The fence holds against whoever opens the region meanwhile, and tells those who still serve."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from tests.transfer.move.stages import ORDER

from reelm import app, audit
from reelm.foundation.database import roles
from reelm.foundation.errors import Departed
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
