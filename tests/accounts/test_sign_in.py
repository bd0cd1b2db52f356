import dataclasses
from contextlib import suppress

import msgspec
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import select, update
from tests.accounts.factory import PASSWORD, count_calls, signed_in, signed_up

from reelm import accounts
from reelm.accounts import passwords
from reelm.accounts.models import Credential, RateLimit
from reelm.foundation.errors import Forbidden, Invalid, RateLimited, Unauthenticated


def _sign_in(session, parts, handle, password=PASSWORD, address="127.0.0.1"):
    return accounts.sign_in(session, parts, handle=handle, password=password, address=address)


def test_handle_and_password_open_the_account(session, parts):
    made = signed_up(session, parts, handle="Asha")
    assert _sign_in(session, parts, "@asha") == made.account_id


def test_nothing_tells_a_wrong_handle_from_a_wrong_password(session, parts):
    signed_up(session, parts, handle="asha")
    passwords.verify_password(None, "makes the hash of nobody")
    sentences, work = set(), set()
    for handle, password in [("asha", "wrong one"), ("nobody", PASSWORD), ("b\0d h@ndle", "x")]:
        with (
            count_calls(PasswordHasher, "verify") as verified,
            count_calls(PasswordHasher, "hash") as hashed,
            pytest.raises(Unauthenticated) as refused,
        ):
            _sign_in(session, parts, handle, password)
        sentences.add(refused.value.sentence)
        work.add((verified.call_count, hashed.call_count))
    assert len(sentences) == 1
    assert work == {(1, 0)}


def test_the_hash_of_nobody_costs_what_a_real_one_costs(real_hashes):
    assert not passwords.is_outdated(passwords._nobodys_hash())


def test_an_account_without_a_password_cannot_be_signed_in_to(session, parts):
    accounts.ensure_account(session, parts, "importer")
    with pytest.raises(Unauthenticated):
        _sign_in(session, parts, "importer", "")


def test_a_hash_of_older_parameters_is_made_anew(session, parts, real_hashes):
    made = signed_up(session, parts, handle="asha")
    weak = PasswordHasher.from_parameters(CHEAPEST).hash(PASSWORD)
    session.execute(update(Credential).values(password_hash=weak))
    assert _sign_in(session, parts, "asha") == made.account_id
    now_kept = session.scalar(select(Credential.password_hash))
    assert now_kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert _sign_in(session, parts, "asha") == made.account_id


def test_tries_are_limited_by_handle_and_address_and_outlive_a_rollback(parts):
    with parts.transaction() as session:
        signed_up(session, parts, handle="asha")

    def guess(address):
        with parts.transaction() as session:
            _sign_in(session, parts, "asha", "a wrong guess", address)

    for _ in range(10):
        with pytest.raises(Unauthenticated):
            guess("198.51.100.7")
    with pytest.raises(RateLimited):
        guess("198.51.100.7")
    with parts.transaction() as session, pytest.raises(RateLimited):
        _sign_in(session, parts, "asha", address="198.51.100.7")
    with parts.transaction() as session:
        _sign_in(session, parts, "asha", address="198.51.100.8")


def test_ipv6_neighbours_share_a_limit_and_no_address_is_stored(session, parts):
    for host in range(10):
        with pytest.raises(Unauthenticated):
            _sign_in(session, parts, "nobody", address=f"2001:db8:1:2::{host:x}")
    with pytest.raises(RateLimited):
        _sign_in(session, parts, "nobody", address="2001:db8:1:2:ffff::1")
    assert accounts.address_group("::ffff:198.51.100.7") == "198.51.100.7"
    assert all(len(subject) == 32 for subject in session.scalars(select(RateLimit.subject)))


def test_limits_can_be_switched_off(session, parts):
    http = msgspec.structs.replace(parts.settings.http, rate_limits=False)
    free = dataclasses.replace(parts, settings=msgspec.structs.replace(parts.settings, http=http))
    limit = accounts.Limit("test", 1, 60)
    for _ in range(5):
        accounts.count_try(free, limit, "somebody")
    accounts.count_try(parts, limit, "somebody")
    with pytest.raises(RateLimited):
        accounts.count_try(parts, limit, "somebody")


def test_changing_the_password_ends_the_other_sessions(session, parts):
    made = signed_up(session, parts, handle="asha")
    here, there = (signed_in(session, parts, made.account_id) for _ in range(2))
    accounts.change_password(
        session,
        parts,
        made.account_id,
        current_password=PASSWORD,
        new_password="another fine phrase",
        keep_session_id=here.session_id,
    )
    assert accounts.viewer_of(session, here.token) is not None
    assert accounts.viewer_of(session, there.token) is None
    assert _sign_in(session, parts, "asha", "another fine phrase") == made.account_id
    with pytest.raises(Unauthenticated):
        _sign_in(session, parts, "asha")


def test_changing_the_password_needs_the_current_one(session, parts):
    made = signed_up(session, parts)
    for current, new, kind in [("wrong", "a new fine phrase", Forbidden), (PASSWORD, "x", Invalid)]:
        with pytest.raises(kind):
            accounts.change_password(
                session, parts, made.account_id, current_password=current, new_password=new
            )


def test_guesses_at_a_signed_in_browser_are_limited(session, parts):
    made = signed_up(session, parts)
    for _ in range(10):
        with suppress(Forbidden):
            accounts.confirm_password(session, parts, made.account_id, "wrong")
    with pytest.raises(RateLimited):
        accounts.confirm_password(session, parts, made.account_id, PASSWORD)
