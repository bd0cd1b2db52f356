"""Copies of accounts for legal orders: whole, sealed, kept over erasures, gone with the order."""

import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pyrage
import pytest
from sqlalchemy import delete, select, text, update
from tests.accounts.factory import PASSWORD, signed_in, signed_up
from tests.accounts.traces import SEALED_TEXT, fill_every_table, traces
from tests.regions.factory import make_body, people

from reelm import accounts, moderation
from reelm.accounts import erase, sealed_copies
from reelm.accounts.models import Account, AccountKey, HeldErasure
from reelm.accounts.preservation_key import IDENTITY, RECIPIENT, read_identity
from reelm.accounts.sealed_file import decrypt_to, encrypt_to
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.database import Base, Erasure
from reelm.foundation.errors import Invalid, Unauthenticated, Unavailable
from reelm.regions import delete_outlived, orders
from reelm.regions.clock_watch import read_clocks

RENDITION = Base.metadata.tables["rendition"]
KEPT = {
    table.name
    for table in Base.metadata.sorted_tables
    if table.info["data"].erasure in {Erasure.KEEP, Erasure.EXPIRE}
}


@pytest.fixture
def world(parts):
    """An authority, and two people with something in every table."""
    with parts.transaction() as session:
        body = make_body(session)
        asha, ben = (signed_up(session, parts).account_id for _ in range(2))
        for one, another in ((asha, ben), (ben, asha)):
            signed_in(session, parts, one)
            fill_every_table(session, parts, one, another)
        profile = {"display_name": "Asha of the Hills", "bio": "Goats."}
        session.execute(update(Account).where(Account.id == asha).values(profile))
        key = parts.store.put_bytes("renditions", b"film" * 1000).key
        session.execute(update(RENDITION).values(object=key))
    return SimpleNamespace(body=body, asha=asha, ben=ben)


def submit(parts, envelope):
    with parts.transaction() as session:
        return moderation.submit_order(session, parts, envelope).order_id


def preserve(parts, world, *account_ids: int, **fields: object):
    """Submit an order to preserve; return its id and reference."""
    targets = people(*(account_ids or (world.asha,)))
    statement = world.body.statement("preserve", targets=targets, **fields)
    return submit(parts, world.body.sign(statement)), statement["reference"]


def lift(parts, world, reference):
    submit(parts, world.body.order("lift", targets={"orders": [reference]}))


def begin_erasure(parts, account_id):
    with parts.transaction() as session:
        return accounts.erase_account(session, parts, account_id)


def finish(parts, run_jobs, account_id):
    """Run jobs until the account is gone; the objects of its made-up videos are not waited for."""
    for _ in range(3):
        run_jobs()
        with parts.transaction() as session:
            if session.get(HeldErasure, account_id) is None:
                for name in ("video", "upload"):
                    table = Base.metadata.tables[name]
                    session.execute(delete(table).where(table.c.account_id == account_id))
                accounts.resume_erasures(session)
    run_jobs()
    with parts.transaction() as session:
        assert session.get(Account, account_id) is None


def copies(parts, order_id=None):
    with parts.transaction() as session:
        return accounts.preserved_copies(session, order_id)


def opened(parts, copy, identity=None) -> zipfile.ZipFile:
    identity = identity or read_identity(parts.home.keys / IDENTITY)
    plain = io.BytesIO()
    decrypt_to(plain, parts.store.chunks(copy.object), identity)
    archive = zipfile.ZipFile(plain)
    assert archive.testzip() is None
    return archive


def tables(archive):
    return json.loads(archive.read("account.json"))["tables"]


def stored(parts):
    return {one.key for one in parts.store.list(sealed_copies.COPIES)}


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
