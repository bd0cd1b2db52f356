"""A whole move: who may write when, and what the log says of it."""

import os

import psycopg
import pytest
from sqlalchemy import text

from reelm import audit, regions, transfer
from reelm.foundation.errors import Conflict, Departed, Frozen, Missing
from reelm.foundation.workspace import sweep_workspaces
from reelm.proofs import handover
from reelm.regions.models import Tenure
from reelm.transfer import move
from reelm.transfer.departed import has_departed, read_departure

WRITES = ("UPDATE video SET caption = 'x'", "DELETE FROM video_like", "UPDATE account SET bio = ''")


def test_a_move_goes_from_approved_to_the_cutover(moving):
    assert moving.state() == "approved"
    move.rehearse(moving.seller, moving.exchange)
    assert moving.state() == "rehearsed"
    with pytest.raises(Conflict, match="not been told"):
        move.freeze(moving.seller)
    moving.announce()
    move.freeze(moving.seller)
    assert moving.state() == "frozen"
    move.seal_region(moving.seller, moving.exchange)
    assert moving.state() == "sealed"
    found = move.receive(moving.buyer, moving.exchange)
    assert found.receipt.outcome == "equal"
    move.take_receipt(moving.seller, moving.exchange)
    assert moving.state() == "verified"
    made = move.cut_over(moving.seller, moving.exchange)
    assert made.signed_by == ["seller"]
    assert moving.state() == "cutover"
    assert not read_departure(moving.seller.home).is_done
    made = move.countersign(moving.buyer, moving.exchange)
    assert made.signed_by == ["buyer", "seller"]
    move.cut_over(moving.seller, moving.exchange)
    assert read_departure(moving.seller.home).is_done
    assert not has_departed(moving.buyer.home)
    with moving.buyer.transaction() as session:
        assert regions.current_tenure(session).epoch == 2
        assert transfer.status(session).state == "cutover"


def test_the_log_goes_on_at_the_buyer_with_one_entry_that_both_signed(moving):
    moving.cut_over()
    audit.integrate(moving.buyer.database, regions.audit_signer(moving.buyer))
    with moving.buyer.transaction() as session:
        entries = list(audit.entries_of(session, "transfer.cutover"))
        assert len(entries) == 1
        body = entries[0].body
        assert (body["from_epoch"], body["to_epoch"]) == (1, 2)
        assert {len(str(body[f"{side}_signature"])) for side in ("seller", "buyer")} == {128}
        newest = session.execute(
            text("SELECT key, size FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
        ).one()
        assert newest.key == body["buyer_key"]
    envelope = moving.exchange.cutover.read_bytes()
    assert handover.cutover_digest(envelope) == body["document_digest"]
    found, report = audit.check_log(moving.buyer.database, regions.audit_signer(moving.buyer))
    assert (found.wrong, report.faults) == ([], [])


def test_what_was_copied_ahead_is_used_after_the_hourly_sweep(moving):
    moving.announce()
    move.rehearse(moving.seller, moving.exchange)
    ahead = {path: path.stat().st_ino for path in moving.exchange.bundle.glob("tables/signal/*")}
    assert ahead
    (notes,) = moving.seller.home.work.iterdir()
    os.utime(notes, (0, 0))
    sweep_workspaces(moving.seller.home)
    move.freeze(moving.seller)
    move.seal_region(moving.seller, moving.exchange)
    assert {path: path.stat().st_ino for path in ahead} == ahead


def test_a_frozen_region_refuses_what_goes_along_and_takes_what_stays(moving):
    moving.freeze()
    for statement in WRITES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            moving.write(moving.serving, statement)
    moving.write(moving.serving, "DELETE FROM session")
    with pytest.raises(Frozen), moving.serving.transaction() as session:
        session.execute(text("DELETE FROM follow"))


def test_the_old_epoch_writes_and_reads_nothing_after_the_cutover(moving):
    with psycopg.connect(moving.serving.database.conninfo) as still_open:
        still_open.commit()
        moving.verified()
        move.cut_over(moving.seller, moving.exchange)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            still_open.execute("INSERT INTO session SELECT * FROM session")
    # What serves still says why, in a sentence.
    with pytest.raises(Departed, match="another operator"), moving.serving.transaction() as session:
        session.execute(text("SELECT id FROM account"))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(moving.serving.database.conninfo)
    with moving.seller.transaction() as session, pytest.raises(Departed):
        regions.ensure_tenure(session, "Seller", moving.seller.home.operator_public_key())


def test_a_buyer_serves_nothing_before_the_seller_has_signed(moving):
    moving.verified()
    with moving.buyer.transaction() as session, pytest.raises(Conflict, match="in charge"):
        regions.ensure_tenure(session, "Buyer", moving.buyer.home.operator_public_key())
    with pytest.raises(Missing, match="transfer cutover"):
        move.countersign(moving.buyer, moving.exchange)


def test_every_step_again_changes_nothing(moving):
    moving.cut_over()
    before = moving.exchange.cutover.read_bytes()
    assert move.cut_over(moving.seller, moving.exchange).signed_by == ["buyer", "seller"]
    assert move.countersign(moving.buyer, moving.exchange).signed_by == ["buyer", "seller"]
    assert moving.exchange.cutover.read_bytes() == before
    with moving.buyer.transaction() as session:
        assert session.query(Tenure).count() == 2
        assert len(list(audit.entries_of(session, "transfer.cutover"))) == 1


def test_an_aborted_freeze_lets_everything_be_written_again(moving):
    moving.sealed()
    moving.act(lambda sale: transfer.abort(sale.session, "No money."))
    with moving.seller.transaction() as session:
        assert not move.is_frozen(session)
        triggers = "SELECT count(*) FROM pg_trigger WHERE tgname = 'reelm_frozen'"
        assert session.scalar(text(triggers)) == 0
