import os

import pytest
from sqlalchemy import select, update
from tests.accounts.factory import signed_in, signed_up

from reelm import accounts
from reelm.accounts import rotate
from reelm.accounts.keys import current_region_key, version_of
from reelm.accounts.models import AccountKey, AccountPrivate, SignedIn
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import Gone, Unavailable


def test_what_a_key_sealed_opens_in_its_place_only(session, parts):
    one, two = (
        accounts.data_key(session, parts, signed_up(session, parts).account_id) for _ in range(2)
    )
    sealed = one.seal(SignedIn.address, "192.0.2.1 · नमस्ते")
    assert one.open(SignedIn.address, sealed) == "192.0.2.1 · नमस्ते"
    assert one.seal(SignedIn.address, "192.0.2.1 · नमस्ते") != sealed
    for key, column in [
        (one, SignedIn.user_agent),
        (one, AccountPrivate.birth_date),
        (two, SignedIn.address),
    ]:
        with pytest.raises(Unavailable):
            key.open(column, sealed)


@pytest.mark.parametrize("position", [0, 1, 12, 13, -1])
def test_a_changed_byte_is_noticed(session, parts, position):
    key = accounts.data_key(session, parts, signed_up(session, parts).account_id)
    sealed = bytearray(key.seal(SignedIn.address, "192.0.2.1"))
    sealed[position] ^= 1
    with pytest.raises(Unavailable):
        key.open(SignedIn.address, bytes(sealed))
    with pytest.raises(Unavailable):
        key.open(SignedIn.address, b"\x01short")


def test_swapping_two_accounts_rows_is_noticed(session, parts):
    one, two = (signed_up(session, parts).account_id for _ in range(2))
    _swap(session, AccountPrivate, AccountPrivate.birth_date, one, two)
    with pytest.raises(Unavailable):
        accounts.my_account(session, parts, one)
    # Nor does it help to swap the wrapped keys along with them.
    _swap(session, AccountKey, AccountKey.wrapped_key, one, two)
    with pytest.raises(Unavailable):
        accounts.my_account(session, parts, one)


def test_a_destroyed_key_leaves_nothing_readable(session, parts):
    account_id = signed_up(session, parts).account_id
    signed_in(session, parts, account_id)
    accounts.destroy_key(session, account_id)
    with pytest.raises(Gone):
        accounts.my_account(session, parts, account_id)
    with pytest.raises(Gone):
        accounts.list_sessions(session, parts, account_id)


def test_rotation_replaces_the_region_key_and_everything_still_opens(parts):
    ids = _accounts(parts, 3)
    old = current_region_key(parts)
    assert accounts.rotate_region_key(parts) == 3
    assert current_region_key(parts) != old
    _all_open(parts, ids)
    assert sorted(path.name for path in parts.home.keys.glob("region-key*")) == ["region-key"]
    assert (parts.home.keys / "region-key").stat().st_mode & 0o777 == 0o600
    with parts.transaction() as session:
        versions = set(session.scalars(select(AccountKey.region_key_version)))
        kinds = set(session.scalars(select(AuditEntry.kind)))
    assert versions == {version_of(current_region_key(parts))}
    assert "accounts.region_key_rotated" in kinds


@pytest.mark.parametrize("cut_at", ["_wrap_batch", "os.link", "_finish", "sync"])
def test_a_rotation_that_was_cut_off_goes_on(parts, monkeypatch, cut_at):
    ids = _accounts(parts, 3)
    monkeypatch.setattr(rotate, "BATCH", 2)
    target = os if cut_at == "os.link" else rotate
    name = cut_at.removeprefix("os.")
    with monkeypatch.context() as cut:
        cut.setattr(
            target, name, _cut_off_after(1 if cut_at == "_wrap_batch" else 0, getattr(target, name))
        )
        with pytest.raises(KeyboardInterrupt):
            accounts.rotate_region_key(parts)
    _all_open(parts, ids)
    ids += _accounts(parts, 1)
    accounts.rotate_region_key(parts)
    _all_open(parts, ids)
    assert sorted(path.name for path in parts.home.keys.glob("region-key*")) == ["region-key"]


def test_another_region_key_is_told_from_a_damaged_one(session, parts):
    account_id = signed_up(session, parts).account_id
    session.execute(update(AccountKey).values(region_key_version=7))
    with pytest.raises(Unavailable, match="another region key"):
        accounts.data_key(session, parts, account_id)
    session.commit()
    with pytest.raises(Unavailable, match="not in keys"):
        accounts.rotate_region_key(parts)


def _cut_off_after(calls, real):
    done: list[int] = []

    def cut(*arguments: object):
        if len(done) >= calls:
            raise KeyboardInterrupt
        done.append(1)
        return real(*arguments)

    return cut


def _accounts(parts, count):
    with parts.transaction() as session:
        return [signed_up(session, parts).account_id for _ in range(count)]


def _all_open(parts, ids):
    with parts.transaction() as session:
        for account_id in ids:
            assert accounts.my_account(session, parts, account_id).birth_date is not None


def _swap(session, table, column, one, two):
    value = {
        account_id: session.scalar(select(column).where(table.account_id == account_id))
        for account_id in (one, two)
    }
    for here, there in ((one, two), (two, one)):
        session.execute(
            update(table).where(table.account_id == here).values({column: value[there]})
        )
    session.expire_all()
