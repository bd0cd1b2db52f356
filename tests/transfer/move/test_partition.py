"""The cutover is lost, late, doubled, or comes to a database that is older than it."""

import shutil
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from tests.transfer.move import killed
from tests.transfer.move.stages import BUYER, ORDER, SELLER, use_new_ids

from reelm import app, audit, regions
from reelm.foundation.errors import Conflict, Departed
from reelm.proofs.keys import origin
from reelm.proofs.note import Note, log_key
from reelm.proofs.witness import Refused, Witness, make_witness
from reelm.regions.models import Tenure
from reelm.transfer import move


def served_by(parts) -> None:
    """Open the region as `reelm serve` does."""
    try:
        app.prepare(parts.home, parts.settings, parts.database.conninfo)
    finally:
        use_new_ids()


def refuses_its_old_epoch(moving) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"not permitted|authentication failed"):
        moving.write(moving.serving, "DELETE FROM follow")


def test_a_document_that_is_lost_is_written_once_more_and_nobody_serves_meanwhile(stages):
    with stages.at("signed") as moving:
        signed = moving.exchange.cutover.read_bytes()
        moving.exchange.cutover.unlink()
        refuses_its_old_epoch(moving)
        with pytest.raises(Conflict, match="in charge of this region"):
            served_by(moving.buyer)
        assert move.cut_over(moving.seller, moving.exchange).signed_by == ["seller"]
        assert moving.exchange.cutover.read_bytes() == signed
        move.countersign(moving.buyer, moving.exchange)
        served_by(moving.buyer)


def test_a_copy_that_comes_late_or_twice_changes_nothing(stages):
    with stages.at("signed") as moving:
        late = moving.exchange.cutover.read_bytes()
        move.countersign(moving.buyer, moving.exchange)
        both = moving.exchange.cutover.read_bytes()
        for _ in range(2):
            moving.exchange.cutover.write_bytes(late)
            assert move.countersign(moving.buyer, moving.exchange).signed_by == ["buyer", "seller"]
            assert moving.exchange.cutover.read_bytes() == both
        with moving.buyer.transaction() as session:
            assert session.query(Tenure).count() == 2
            assert len(list(audit.entries_of(session, "transfer.cutover"))) == 1


def test_a_buyer_serves_while_the_seller_is_cut_off_and_hears_of_it_later(stages):
    with stages.at("signed") as moving:
        move.countersign(moving.buyer, moving.exchange)
        served_by(moving.buyer)
        refuses_its_old_epoch(moving)
        with pytest.raises(Departed):
            served_by(moving.seller)
        assert move.cut_over(moving.seller, moving.exchange).signed_by == ["buyer", "seller"]


@pytest.mark.parametrize(
    ("stage", "backup"), [("signed", "verified"), ("signed", "announced"), ("over", "frozen")]
)
def test_a_seller_whose_database_is_restored_ends_by_the_document_that_it_signed(
    stages, stage, backup
):
    with stages.at(stage) as moving:
        signed = moving.exchange.cutover.read_bytes()
    stages.put_back(backup, SELLER)
    with stages.opened() as moving:
        step = move.rehearse if backup == "announced" else move.seal_region
        with pytest.raises(Conflict, match="has handed the region over"):
            step(moving.seller, moving.exchange)
        move.cut_over(moving.seller, moving.exchange)
        assert moving.exchange.cutover.read_bytes() == signed
        refuses_its_old_epoch(moving)
        assert moving.state() == "cutover"
        if stage == "signed":
            ORDER["over"](moving)


def test_a_restored_database_is_not_served_by_the_home_that_says_where_the_region_went(stages):
    with stages.at("over"):
        home = stages.home(SELLER).path
        kept = shutil.copytree(home / "departed", stages.folder / "departed")
    stages.put_back("announced", SELLER)
    shutil.move(kept, home / "departed")
    with stages.opened() as moving, pytest.raises(Departed, match="departed says"):
        served_by(moving.seller)


def test_a_restored_home_and_database_serve_and_whoever_watches_the_log_sees_two(stages, tmp_path):
    """What no software at the seller can hinder; docs/transfer.md says so."""
    make_witness(tmp_path / "witness", "witness.example/1")
    witness = Witness(tmp_path / "witness")
    with stages.at("over") as moving:
        known = log_key_of(moving.seller)
        for at in (moving.seller, moving.buyer):
            audit.integrate(at.database, regions.audit_signer(at))
        witness.cosign_by_proof(Note.parse(newest_note(moving.seller)), None, known)
        note = Note.parse(newest_note(moving.buyer))
        witness.cosign_by_log(note, exported(moving.buyer))
    stages.put_back("announced", SELLER)
    with stages.opened() as moving:
        served_by(moving.seller)
        assert moving.write(moving.serving, "DELETE FROM follow") > 0
        with moving.serving.transaction() as session:
            for _ in range(40):
                audit.record(session, "accounts.reset", account_id="1")
        audit.integrate(moving.seller.database, regions.audit_signer(moving.seller))
        forked = Note.parse(newest_note(moving.seller))
        with pytest.raises(Refused):
            witness.cosign_by_log(forked, exported(moving.seller))


def test_a_bundle_that_was_begun_anew_is_not_the_one_that_is_handed_over(stages):
    with stages.at("verified") as moving:
        words = ["seal", "--region", moving.seller.home.path, "--exchange", moving.exchange.folder]
        ran = killed.run(stages.url(SELLER), "transfer", *words)
        late = max(at for at, point in enumerate(ran.points, 1) if "transfer_step" in point)
    with stages.at("verified") as moving:
        assert killed.run(stages.url(SELLER), "transfer", *words, at=late).is_killed
        with pytest.raises(Conflict, match="not sealed"):
            move.cut_over(moving.seller, moving.exchange)
        for stage in ("sealed", "verified", "signed", "over"):
            ORDER[stage](moving)


def test_a_buyer_keeps_the_import_that_the_seller_has_handed_over(stages):
    with stages.at("verified") as moving:
        ORDER["sealed"](moving)
        later = shutil.copytree(moving.exchange.bundle, stages.folder / "later")
    with stages.at("signed") as moving:
        shutil.rmtree(moving.exchange.bundle)
        shutil.move(later, moving.exchange.bundle)
        with pytest.raises(Conflict, match="hands over another bundle"):
            move.receive(moving.buyer, moving.exchange)
        ORDER["over"](moving)


def test_a_buyer_in_charge_leaves_the_receipt_as_it_is(stages):
    with stages.at("over") as moving:
        receipt = moving.exchange.receipt.read_bytes()
        shutil.rmtree(moving.exchange.bundle)
        with pytest.raises(Conflict, match="in charge of the region already"):
            move.receive(moving.buyer, moving.exchange)
        assert moving.exchange.receipt.read_bytes() == receipt


def test_only_the_seller_aborts(stages):
    with stages.at("verified") as moving:
        words = ["abort", "--reason", "No.", "--region", moving.buyer.home.path]
        ran = killed.run(stages.url(BUYER), "transfer", *words)
        assert (ran.status, "the seller aborts" in ran.said) == (2, True)
        ORDER["signed"](moving)
        ORDER["over"](moving)


def log_key_of(parts) -> str:
    with parts.transaction() as session:
        return log_key(
            origin(regions.region_id(session)), bytes.fromhex(parts.home.operator_public_key())
        ).text


def newest_note(parts) -> str:
    with parts.transaction() as session:
        query = "SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1"
        return str(session.scalar(text(query)))


def exported(parts) -> Iterator[bytes]:
    with parts.transaction() as session:
        first, region = regions.first_key(session), regions.region_id(session)
    pages = audit.export(parts.database, origin(region), first)
    return iter(b"".join(pages).splitlines(keepends=True))
