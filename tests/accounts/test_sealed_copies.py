"""Copies of accounts for legal orders: whole, sealed, kept over erasures, gone with the order."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pyrage
import pytest
from sqlalchemy import select
from tests.accounts.copies import (
    begin_erasure,
    copies,
    finish,
    lift,
    opened,
    preserve,
    stored,
    tables,
)
from tests.accounts.factory import PASSWORD, signed_in
from tests.accounts.traces import SEALED_TEXT, traces

from reelm import accounts
from reelm.accounts import sealed_copies
from reelm.accounts.models import Account
from reelm.accounts.preservation_key import IDENTITY, RECIPIENT, read_identity
from reelm.accounts.sealed_file import decrypt_to, encrypt_to
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.database import Base, Erasure
from reelm.foundation.errors import Invalid, Unauthenticated, Unavailable
from reelm.regions import delete_outlived, orders
from reelm.regions.clock_watch import read_clocks

KEPT = {
    table.name
    for table in Base.metadata.sorted_tables
    if table.info["data"].erasure in {Erasure.KEEP, Erasure.EXPIRE}
}


def test_a_preserved_copy_opens_with_the_identity_and_holds_everything(parts, run_jobs, world):
    order_id, reference = preserve(parts, world)
    run_jobs()
    (copy,) = copies(parts, order_id)
    archive = opened(parts, copy)
    found = tables(archive)
    exported = b"".join(accounts.export_account(parts, world.asha))
    whole = tables(zipfile.ZipFile(io.BytesIO(exported)))
    # The notice about the order itself may have been left a moment later.
    assert {k: v for k, v in found.items() if k != "notice"} == {
        k: v for k, v in whole.items() if k != "notice"
    }
    assert found["account_private"][0]["birth_date"] == "1990-05-17"
    assert found["upload"][0]["draft"] == SEALED_TEXT
    video_id = found["video"][0]["id"]
    assert archive.read(f"videos/{video_id}.mp4") == b"film" * 1000
    about = json.loads(archive.read("order.json"))
    assert (about["reference"], about["account_id"]) == (reference, str(world.asha))


def test_no_other_identity_opens_a_copy_and_nothing_of_it_is_in_plain(parts, run_jobs, world):
    order_id, _ = preserve(parts, world)
    run_jobs()
    (copy,) = copies(parts, order_id)
    for other in (pyrage.x25519.Identity.generate(), world.body.identity):
        with pytest.raises(Invalid, match="another key"):
            opened(parts, copy, other)
    sealed = parts.store.get(copy.object)
    plain = b"".join(accounts.export_account(parts, world.asha))
    # These are in what was encrypted, so that their absence means something.
    for word in (b"account.json", b"filmfilm"):
        assert word in plain
        assert word not in sealed
    with pytest.raises(Unavailable, match="damaged"):
        damaged = parts.store.put_bytes(sealed_copies.COPIES, sealed[:-50])
        opened(parts, SimpleNamespace(object=damaged.key))


def test_a_copy_outlives_erasure_and_retention(parts, run_jobs, world):
    order_id, _ = preserve(parts, world)
    run_jobs()
    begin_erasure(parts, world.asha)
    finish(parts, run_jobs, world.asha)
    delete_outlived(parts)
    sealed_copies.sweep_copies(parts, timedelta())
    by_order, by_erasure = copies(parts, order_id)
    assert (by_order.occasion, by_erasure.occasion) == ("order", "erasure")
    for copy in (by_order, by_erasure):
        found = tables(opened(parts, copy))
        assert found["account_private"][0]["birth_date"] == "1990-05-17"
        assert {row["address"] for row in found["session"]} >= {"203.0.113.9"}
        assert found["video"]
    with parts.transaction() as session:
        assert set(traces(session, world.asha)) <= KEPT


def test_what_an_erasure_empties_at_once_is_in_the_copy_as_of_then(parts, run_jobs, world):
    order_id, _ = preserve(parts, world)
    run_jobs()
    begin_erasure(parts, world.asha)
    run_jobs()
    profile = json.loads(opened(parts, copies(parts, order_id)[1]).read("profile.json"))
    assert (profile["display_name"], profile["bio"]) == ("Asha of the Hills", "Goats.")


def test_who_erases_an_account_under_a_confidential_order_gets_the_same_answers(
    parts, run_jobs, world
):
    preserve(parts, world, confidential=True)
    run_jobs()
    answers, logs = [], []
    for account_id in (world.asha, world.ben):
        with parts.transaction() as session:
            handle = session.get_one(Account, account_id).handle
            token = signed_in(session, parts, account_id).token
            since = max(session.scalars(select(AuditEntry.id)))
        begun = begin_erasure(parts, account_id)
        answers.append([*after_erasure(parts, account_id, handle, token), begun.complete_at])
        with parts.transaction() as session:
            fresh = session.scalars(select(AuditEntry).where(AuditEntry.id > since))
            logs.append([(one.kind, one.body["account_id"] == str(account_id)) for one in fresh])
    assert answers[0] == answers[1]
    assert logs[0] == logs[1] == [("accounts.erasure_begun", True)]


def after_erasure(parts, account_id, handle, token) -> Iterator[object]:
    """Yield what anybody can learn of an account that was just erased."""
    with parts.transaction() as session:
        yield accounts.viewer_of(session, token)
        yield accounts.awaiting_account(session, token)
        yield accounts.account_of(session, handle)
        yield accounts.avatar_object(session, account_id)
        row = session.get_one(Account, account_id)
        yield (row.state, row.display_name, row.bio, row.links, row.language, row.role)
        with pytest.raises(Unauthenticated) as refused:
            accounts.sign_in(session, parts, handle=handle, password=PASSWORD, address="127.0.0.1")
        yield str(refused.value)


def test_an_export_by_the_person_does_not_tell_of_copies(parts, run_jobs, world):
    order_id, _ = preserve(parts, world, confidential=True)
    run_jobs()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(accounts.export_account(parts, world.asha))))
    assert not {"sealed_copy", "held_erasure", "legal_order"} & set(tables(archive))
    assert str(order_id).encode() not in archive.read("account.json")


def test_what_was_preserved_is_destroyed_when_the_order_is_lifted(parts, run_jobs, world):
    order_id, reference = preserve(parts, world, world.asha, world.ben)
    run_jobs()
    assert len(stored(parts)) == 2
    lift(parts, world, reference)
    run_jobs()
    assert (copies(parts, order_id), stored(parts)) == ([], set())


def test_what_was_preserved_is_destroyed_when_its_time_is_over(parts, run_jobs, world):
    order_id, _ = preserve(parts, world, lapses_at=(now() + timedelta(days=1)).isoformat())
    run_jobs()
    later = msgspec.structs.replace(read_clocks(), shown=now() + timedelta(days=2), boot_id="next")
    with parts.transaction() as session:
        assert orders.lapse_orders(session, later) == [order_id]
    run_jobs()
    assert (copies(parts), stored(parts)) == ([], set())


def test_the_lift_of_one_order_keeps_the_copies_of_another(parts, run_jobs, world):
    _, reference = preserve(parts, world)
    other, _ = preserve(parts, world)
    begin_erasure(parts, world.asha)
    run_jobs()
    lift(parts, world, reference)
    run_jobs()
    left = copies(parts)
    assert {copy.order_id for copy in left} == {other}
    assert stored(parts) == {copy.object for copy in left}
    assert tables(opened(parts, left[-1]))["account_private"]


@pytest.mark.parametrize("step", ["export_account", "encrypt_to", "_keep"])
def test_copies_that_were_cut_off_are_made_when_they_are_taken_up_again(
    parts, run_jobs, world, monkeypatch, step
):
    order_id, _ = preserve(parts, world, world.asha, world.ben)

    def cut(*_: object):
        raise KeyboardInterrupt

    with monkeypatch.context() as cutting:
        cutting.setattr(sealed_copies, step, cut)
        with pytest.raises(KeyboardInterrupt):
            sealed_copies.make_copies(parts, order_id)
    run_jobs()
    kept = copies(parts, order_id)
    assert {copy.account_id for copy in kept} == {world.asha, world.ben}
    sealed_copies.make_copies(parts, order_id)
    assert copies(parts, order_id) == kept
    sealed_copies.sweep_copies(parts, timedelta())
    assert stored(parts) == {copy.object for copy in kept}
    assert list(parts.home.work.iterdir()) == []


def test_an_account_erased_before_the_order_is_answered_for(parts, run_jobs, world):
    begin_erasure(parts, world.asha)
    finish(parts, run_jobs, world.asha)
    order_id, _ = preserve(parts, world)
    run_jobs()
    (copy,) = copies(parts, order_id)
    words = opened(parts, copy).read("ERASED.txt").decode()
    assert f"The account {world.asha} was erased on" in words


def test_big_media_are_copied_with_bounded_memory(tmp_path):
    identity, pieces, largest = pyrage.x25519.Identity.generate(), 64, 0

    def film():
        nonlocal largest
        for _ in range(pieces):
            largest = max(largest, (tmp_path / "copy").stat().st_size)
            yield bytes(1 << 20)

    encrypt_to(tmp_path / "copy", film(), identity.to_public())
    # When the last piece was asked for, nearly all before it had been written.
    assert largest > (pieces - 3) << 20
    with (tmp_path / "plain").open("wb") as file, (tmp_path / "copy").open("rb") as sealed:
        decrypt_to(file, iter(lambda: sealed.read(1 << 20), b""), identity)
    assert (tmp_path / "plain").stat().st_size == pieces << 20


def test_the_identity_can_be_taken_off_the_machine(parts, run_jobs, world):
    identity = read_identity(parts.home.keys / IDENTITY)
    (parts.home.keys / IDENTITY).unlink()
    order_id, _ = preserve(parts, world)
    run_jobs()
    (copy,) = copies(parts, order_id)
    assert tables(opened(parts, copy, identity))["account"]
    assert not (parts.home.keys / IDENTITY).exists()


def test_a_home_from_before_gets_its_key_when_it_is_needed(parts):
    for name in (IDENTITY, RECIPIENT):
        (parts.home.keys / name).unlink()
    made = accounts.preservation_recipient(parts.home)
    assert str(made) == str(read_identity(parts.home.keys / IDENTITY).to_public())
    assert (parts.home.keys / IDENTITY).stat().st_mode & 0o077 == 0
    assert str(accounts.preservation_recipient(parts.home)) == str(made)
