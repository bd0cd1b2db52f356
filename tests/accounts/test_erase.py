import time
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from tests.accounts.factory import PASSWORD, signed_in, signed_up
from tests.accounts.traces import fill_every_table, traces

from reelm import accounts, moderation
from reelm.accounts import erase, persons
from reelm.accounts.models import Account, AccountKey, ErasedAccount
from reelm.foundation.database import Base, Erasure
from reelm.foundation.errors import Conflict, Missing, Unauthenticated, Unavailable
from reelm.regions import Fact, load_pack

KEPT = {
    table.name
    for table in Base.metadata.sorted_tables
    if table.info["data"].erasure in {Erasure.KEEP, Erasure.EXPIRE}
}


def test_of_every_id_column_it_is_known_whether_it_names_an_account():
    assert persons.unsorted_ids(Base.metadata) == set()


def test_every_table_that_is_anonymised_says_how():
    for table, _ in persons.tables_of_persons(Base.metadata, 1, persons.ERASED_BY):
        if table.info["data"].erasure is Erasure.ANONYMISE:
            named = [column for column in table.columns if column.name in persons.ERASED_BY]
            assert all(column.info["anonymised"] is None for column in named)


def test_an_erased_account_leaves_only_its_tombstone(parts, run_jobs):
    with parts.transaction() as session:
        erased, other = (signed_up(session, parts).account_id for _ in range(2))
        for one, another in ((erased, other), (other, erased)):
            signed_in(session, parts, one)
            fill_every_table(session, parts, one, another)
    with parts.transaction() as session:
        filled = traces(session, erased)
        others_before = traces(session, other)
        # The proof below is worth something only if every table held something.
        assert set(filled) == {table.name for table, _ in _tables()} - {"erased_account"}
        accounts.erase_account(session, parts, erased)
    _run_until_gone(parts, run_jobs, erased)
    with parts.transaction() as session:
        assert set(traces(session, erased)) <= KEPT
        assert session.get(ErasedAccount, erased) is not None
        # What the other did on the erased one's things went with them; the rest stays.
        left = traces(session, other)
        assert others_before.keys() - left.keys() <= {"follow", "block"}


def test_nobody_can_read_or_sign_in_from_the_first_commit_on(parts):
    with parts.transaction() as session:
        account_id = signed_up(session, parts, handle="asha").account_id
        token = signed_in(session, parts, account_id).token
    with parts.transaction() as session:
        accounts.erase_account(session, parts, account_id)
    with parts.transaction() as session:
        assert accounts.viewer_of(session, token) is None
        assert session.get(AccountKey, account_id) is None
        assert accounts.account_of(session, "asha") is None
        account = session.get_one(Account, account_id)
        assert (account.state, account.display_name) == ("erasing", "")
        with pytest.raises(Unauthenticated):
            accounts.sign_in(session, parts, handle="asha", password=PASSWORD, address="127.0.0.1")


def test_the_handle_of_an_erased_account_stays_taken_and_unknown(parts, run_jobs):
    with parts.transaction() as session:
        account_id = signed_up(session, parts, handle="asha").account_id
    _refused(parts, "ASHA")
    with parts.transaction() as session:
        accounts.erase_account(session, parts, account_id)
    _refused(parts, "ASHA")
    run_jobs()
    _refused(parts, "ASHA")
    with parts.transaction() as session:
        everything = [
            str(row)
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table)).all()
        ]
    assert [row for row in everything if "asha" in row.lower()] == []


def test_erasing_twice_changes_nothing(parts, run_jobs):
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
    results = []
    for _ in range(2):
        with parts.transaction() as session:
            results.append(accounts.erase_account(session, parts, account_id))
    run_jobs()
    with parts.transaction() as session:
        results.append(accounts.erase_account(session, parts, account_id))
    accounts.finish_erasure(parts, account_id)
    assert len(set(results)) == 1


def test_an_erasure_that_was_cut_off_is_taken_up_again(parts, run_jobs, monkeypatch):
    with parts.transaction() as session:
        account_id, other = (signed_up(session, parts).account_id for _ in range(2))
        fill_every_table(session, parts, account_id, other)
        accounts.erase_account(session, parts, account_id)
        session.execute(select(func.count()).select_from(Account))
    with parts.transaction() as session:
        videos = Base.metadata.tables["video"]
        session.execute(videos.delete())
        session.execute(Base.metadata.tables["upload"].delete())
    tables = iter(range(4))
    real = erase._delete_batch

    def cut(*arguments: Any):
        if next(tables, None) is None:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as cutting:
        cutting.setattr(erase, "_delete_batch", cut)
        with pytest.raises(KeyboardInterrupt):
            accounts.finish_erasure(parts, account_id)
    with parts.transaction() as session:
        assert accounts.resume_erasures(session) == 1
    run_jobs()
    with parts.transaction() as session:
        assert set(traces(session, account_id)) <= KEPT
        assert accounts.resume_erasures(session) == 0


def test_rows_wait_for_the_files_they_name(parts):
    with parts.transaction() as session:
        account_id, other = (signed_up(session, parts).account_id for _ in range(2))
        fill_every_table(session, parts, account_id, other)
        accounts.erase_account(session, parts, account_id)
    with pytest.raises(Unavailable, match="still being removed"):
        accounts.finish_erasure(parts, account_id)
    with parts.transaction() as session:
        assert "video" in traces(session, account_id)


def test_an_account_that_is_not_being_erased_is_left_alone(parts):
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
    with pytest.raises(Missing):
        accounts.finish_erasure(parts, account_id)
    with parts.transaction() as session, pytest.raises(Missing):
        accounts.erase_account(session, parts, 12345)


def test_the_last_owner_cannot_leave_the_region_ownerless(session, parts):
    staff = accounts.make_staff(session, parts, handle="boss", role="owner")
    with pytest.raises(Conflict, match="last owner"):
        accounts.erase_account(session, parts, staff.account_id)
    accounts.make_staff(session, parts, handle="boss2", role="owner")
    accounts.erase_account(session, parts, staff.account_id)


def test_a_report_outlives_its_reporter_without_naming_them(parts, run_jobs):
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
        new = moderation.NewGrievance(
            target_kind="video",
            target_id=7,
            reason="illegal",
            detail="Look!",
            contact="me@x.example",
        )
        sent = moderation.receive_grievance(
            session, parts, new, reporter_id=account_id, address="127.0.0.1"
        )
        accounts.erase_account(session, parts, account_id)
    run_jobs()
    with parts.transaction() as session:
        reader = accounts.Reader(1, "moderator", "handling grievances", 1, None)
        read = moderation.open_grievance(session, parts, sent.number, reader=reader)
    assert (read.reporter_id, read.contact, read.detail) == (None, "", "Look!")


def test_the_date_of_complete_erasure_is_the_policy_packs(session, parts, monkeypatch):
    days = Fact(value=35, source="a test", read_on="2026-11")
    pack = msgspec.structs.replace(load_pack("neutral"), erasure_complete_days=days)
    monkeypatch.setattr(erase, "load_pack", lambda _: pack)
    begun = accounts.erase_account(session, parts, signed_up(session, parts).account_id)
    assert begun.complete_at is not None
    assert (begun.complete_at - begun.erased_at).days == 35


def _run_until_gone(parts, run_jobs, account_id):
    # The job that removes the rows waits, by being tried again later, for the one of the files.
    end = time.monotonic() + 60
    there = True
    while there and time.monotonic() < end:
        run_jobs()
        with parts.transaction() as session:
            there = session.get(Account, account_id) is not None
        time.sleep(0.2)


def _tables():
    return list(persons.tables_of_persons(Base.metadata, 1, persons.ERASED_BY))


def _refused(parts, handle):
    with parts.transaction() as session, pytest.raises(Conflict, match="taken"):
        signed_up(session, parts, handle=handle)
