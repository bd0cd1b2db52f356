"""Orders, erasures and lifts that come at the same moment, and work that is cut off."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from tests.accounts.copies import (
    begin_erasure,
    copies,
    finish,
    lift,
    opened,
    preserve,
    stored,
    submit,
    tables,
)
from tests.regions.factory import people

from reelm import accounts, moderation
from reelm.accounts import erase, sealed_copies
from reelm.accounts.models import AccountKey, HeldErasure
from reelm.accounts.sealed_file import encrypt_to
from reelm.foundation.database import Base
from reelm.foundation.errors import Unavailable


def test_an_erasure_that_comes_before_the_job_of_the_order_waits_for_a_copy(parts, run_jobs, world):
    order_id, _ = preserve(parts, world)
    begin_erasure(parts, world.asha)
    with parts.transaction() as session:
        assert session.get(AccountKey, world.asha) is not None
    finish(parts, run_jobs, world.asha)
    kept = copies(parts, order_id)
    assert "erasure" in {copy.occasion for copy in kept}
    for copy in kept:
        assert tables(opened(parts, copy))["account_private"][0]["birth_date"] == "1990-05-17"
        assert "ERASED.txt" not in opened(parts, copy).namelist()


def test_an_erasure_goes_on_when_the_order_that_held_it_was_lifted(parts, run_jobs, world):
    _, reference = preserve(parts, world)
    begin_erasure(parts, world.asha)
    lift(parts, world, reference)
    finish(parts, run_jobs, world.asha)
    assert (copies(parts), stored(parts)) == ([], set())


def test_a_copy_that_is_made_while_its_order_ends_is_not_kept(parts, run_jobs, world, monkeypatch):
    order_id, reference = preserve(parts, world)
    real = encrypt_to

    def ends_meanwhile(*arguments: Any):
        real(*arguments)
        lift(parts, world, reference)

    with monkeypatch.context() as patched:
        patched.setattr(sealed_copies, "encrypt_to", ends_meanwhile)
        sealed_copies.make_copies(parts, order_id)
    assert (copies(parts), stored(parts)) == ([], set())


def test_a_copy_that_an_erasure_cut_short_is_not_kept(parts, world, monkeypatch):
    order_id, _ = preserve(parts, world)
    real = encrypt_to

    def erased_meanwhile(*arguments: Any):
        real(*arguments)
        with parts.transaction() as session:
            session.execute(delete(AccountKey).where(AccountKey.account_id == world.asha))

    with monkeypatch.context() as patched:
        patched.setattr(sealed_copies, "encrypt_to", erased_meanwhile)
        with pytest.raises(Unavailable, match="erased while it was copied"):
            sealed_copies.make_copies(parts, order_id)
    assert copies(parts) == []
    sealed_copies.make_copies(parts, order_id)
    assert "ERASED.txt" in opened(parts, copies(parts)[0]).namelist()


def test_an_erasure_cut_off_between_copy_and_key_is_taken_up_again(
    parts, run_jobs, world, monkeypatch
):
    order_id, _ = preserve(parts, world)
    begin_erasure(parts, world.asha)

    def cut(*_: object):
        raise KeyboardInterrupt

    with monkeypatch.context() as cutting:
        cutting.setattr(erase, "_destroy", cut)
        with pytest.raises(KeyboardInterrupt):
            erase.go_on_after_copies(parts, world.asha)
    made = copies(parts, order_id)
    with parts.transaction() as session:
        assert session.get(AccountKey, world.asha) is not None
        assert accounts.resume_erasures(session) == 1
    finish(parts, run_jobs, world.asha)
    assert [c for c in copies(parts, order_id) if c.occasion == "erasure"] == made


def test_an_order_that_comes_while_an_erasure_waits_gets_a_copy_too(
    parts, run_jobs, world, monkeypatch
):
    preserve(parts, world)
    begin_erasure(parts, world.asha)
    late: list[int] = []

    def comes_meanwhile(*arguments: Any):
        sealed_copies.make_copy(*arguments)
        if not late:
            late.append(preserve(parts, world)[0])

    with monkeypatch.context() as patched:
        patched.setattr(erase, "make_copy", comes_meanwhile)
        with pytest.raises(Unavailable, match="Another order"):
            erase.go_on_after_copies(parts, world.asha)
    finish(parts, run_jobs, world.asha)
    (copy,) = [one for one in copies(parts, late[0]) if one.occasion == "erasure"]
    assert tables(opened(parts, copy))["account_private"][0]["birth_date"] == "1990-05-17"


def test_what_was_left_undone_is_found_by_the_clock(parts, run_jobs, world):
    order_id, _ = preserve(parts, world)
    with parts.transaction() as session:
        assert sealed_copies.orders_lacking_copies(session) == [order_id]
        assert sealed_copies.outlived_orders(session) == []
    run_jobs()
    with parts.transaction() as session:
        assert sealed_copies.orders_lacking_copies(session) == []
        session.execute(update(orders_table()).values(state="ended"))
    with parts.transaction() as session:
        assert sealed_copies.outlived_orders(session) == [order_id]


def orders_table():
    return Base.metadata.tables["legal_order"]


def test_an_erasure_waits_for_an_order_that_is_being_accepted(parts, run_jobs, world):
    envelope = world.body.order("preserve", targets=people(world.asha))
    with ThreadPoolExecutor(1) as pool, parts.transaction() as session:
        order_id = moderation.submit_order(session, parts, envelope).order_id
        erasing = pool.submit(begin_erasure, parts, world.asha)
        wait_for_a_lock(parts)
        session.commit()
        erasing.result()
    with parts.transaction() as session:
        assert session.get(HeldErasure, world.asha) is not None
    finish(parts, run_jobs, world.asha)
    assert "erasure" in {copy.occasion for copy in copies(parts, order_id)}


def test_an_order_waits_for_an_erasure_that_has_begun_and_is_answered(parts, run_jobs, world):
    envelope = world.body.order("preserve", targets=people(world.asha))
    with ThreadPoolExecutor(1) as pool, parts.transaction() as session:
        accounts.erase_account(session, parts, world.asha)
        ordering = pool.submit(submit, parts, envelope)
        wait_for_a_lock(parts)
        session.commit()
        order_id = ordering.result()
    run_jobs()
    assert "ERASED.txt" in opened(parts, copies(parts, order_id)[0]).namelist()


def wait_for_a_lock(parts):
    """Return when some connection waits for what another holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    while True:
        with parts.transaction() as session:
            if session.execute(waiting).scalar_one():
                return
