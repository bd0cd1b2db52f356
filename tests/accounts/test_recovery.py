import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from tests.accounts.factory import PASSWORD, count_calls, signed_in, signed_up

from reelm import accounts
from reelm.accounts.models import Credential, RecoveryCode
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Missing,
    RateLimited,
    Unauthenticated,
)

NEW = "an entirely new phrase"


def _recover(session, parts, handle, code, password=NEW):
    return accounts.recover(
        session,
        parts,
        handle=handle,
        recovery_code=code,
        new_password=password,
        address="127.0.0.1",
    )


def _sign_in(session, parts, handle, password):
    return accounts.sign_in(session, parts, handle=handle, password=password, address="127.0.0.1")


def test_a_code_sets_a_new_password_once_and_ends_all_sessions(session, parts):
    made = signed_up(session, parts, handle="asha")
    begun = signed_in(session, parts, made.account_id)
    typed = made.recovery_codes[3].upper().replace("-", " ")
    assert _recover(session, parts, "@Asha", typed) == made.account_id
    assert accounts.viewer_of(session, begun.token) is None
    assert _sign_in(session, parts, "asha", NEW) == made.account_id
    with pytest.raises(Unauthenticated):
        _sign_in(session, parts, "asha", PASSWORD)
    with pytest.raises(Unauthenticated):
        _recover(session, parts, "asha", made.recovery_codes[3])
    assert accounts.codes_left(session, made.account_id) == 9


def test_nothing_tells_a_wrong_handle_from_a_wrong_code(session, parts):
    signed_up(session, parts, handle="asha")
    other = signed_up(session, parts, handle="other")
    sentences, work = set(), set()
    for handle, code in [("asha", "x"), ("nobody", "x"), ("asha", other.recovery_codes[0])]:
        with (
            count_calls(PasswordHasher, "hash") as hashed,
            pytest.raises(Unauthenticated) as refused,
        ):
            _recover(session, parts, handle, code)
        sentences.add(refused.value.sentence)
        work.add(hashed.call_count)
    assert (len(sentences), work) == (1, {1})


def test_a_weak_new_password_costs_no_code(session, parts):
    made = signed_up(session, parts, handle="asha")
    with pytest.raises(Invalid):
        _recover(session, parts, "asha", made.recovery_codes[0], "password1")
    assert accounts.codes_left(session, made.account_id) == 10


def test_guesses_at_codes_are_limited(session, parts):
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            _recover(session, parts, "asha", "guess")
    with pytest.raises(RateLimited):
        _recover(session, parts, "asha", "guess")


def test_codes_are_kept_as_hashes_and_can_be_made_anew(session, parts):
    made = signed_up(session, parts)
    hashes = set(session.scalars(select(RecoveryCode.code_hash)))
    assert {len(kept) for kept in hashes} == {32}
    with pytest.raises(Forbidden):
        accounts.renew_codes(session, parts, made.account_id, password="wrong")
    codes = accounts.renew_codes(session, parts, made.account_id, password=PASSWORD)
    assert not set(codes) & set(made.recovery_codes)
    assert not hashes & set(session.scalars(select(RecoveryCode.code_hash)))


def test_a_reset_by_command_gives_the_account_back(session, parts):
    made = signed_up(session, parts, handle="asha")
    begun = signed_in(session, parts, made.account_id)
    codes = accounts.reset_account(session, "asha")
    assert accounts.viewer_of(session, begun.token) is None
    assert session.get(Credential, made.account_id) is None
    with pytest.raises(Unauthenticated):
        _sign_in(session, parts, "asha", PASSWORD)
    assert _recover(session, parts, "asha", codes[0]) == made.account_id
    assert _sign_in(session, parts, "asha", NEW) == made.account_id
    entry = session.scalars(select(AuditEntry).where(AuditEntry.kind == "accounts.reset")).one()
    assert entry.body == {"account_id": str(made.account_id)}
    with pytest.raises(Missing):
        accounts.reset_account(session, "nobody")


def test_staff_is_made_by_command_and_logged(session, parts):
    boss = accounts.make_staff(session, parts, handle="boss", role="owner")
    assert boss.is_new
    assert len(boss.recovery_codes) == 10
    _recover(session, parts, "boss", boss.recovery_codes[0])
    token = signed_in(session, parts, boss.account_id).token
    viewer = accounts.viewer_of(session, token)
    assert viewer is not None
    assert viewer.role == "owner"
    again = accounts.make_staff(session, parts, handle="boss", role="owner")
    assert (again.is_new, again.recovery_codes) == (False, [])
    session.flush()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.kind == "accounts.role_set")).one()
    assert entry.body["role"] == "owner"


def test_a_role_changes_only_with_a_new_session(session, parts):
    made = signed_up(session, parts, handle="asha")
    token = signed_in(session, parts, made.account_id).token
    accounts.set_role(session, handle="asha", role="moderator")
    assert accounts.viewer_of(session, token) is None


def test_roles_are_the_known_ones_and_one_owner_stays(session, parts):
    accounts.make_staff(session, parts, handle="boss", role="owner")
    with pytest.raises(Invalid, match="moderator"):
        accounts.set_role(session, handle="boss", role="king")
    with pytest.raises(Conflict, match="last owner"):
        accounts.set_role(session, handle="boss", role="analyst")
    accounts.make_staff(session, parts, handle="boss2", role="owner")
    accounts.set_role(session, handle="boss", role=None)
