import hashlib
from datetime import date

import pytest
from sqlalchemy import func, select
from tests.accounts.factory import new_account, signed_up

from reelm import accounts
from reelm.accounts.handles import erased_hash
from reelm.accounts.models import Account, AccountPrivate
from reelm.accounts.sign_up import age_on
from reelm.foundation import clock
from reelm.foundation.errors import Conflict, Forbidden, Invalid, RateLimited


def test_a_new_account_can_be_seen_by_its_person(session, parts):
    made = signed_up(session, parts, handle="Mira.K", display_name="Mira ", language="pt-br")
    me = accounts.my_account(session, parts, made.account_id)
    assert (me.handle, me.display_name, me.language) == ("Mira.K", "Mira", "pt-BR")
    assert me.birth_date == date(1990, 5, 17)
    assert me.recovery_codes_left == len(set(made.recovery_codes)) == 10


def test_the_birth_date_is_sealed_in_the_database(session, parts):
    made = signed_up(session, parts)
    sealed = session.scalar(
        select(AccountPrivate.birth_date).where(AccountPrivate.account_id == made.account_id)
    )
    assert b"1990" not in sealed


def test_trying_handles_of_the_erased_costs_what_its_docs_say(real_hashes):
    """In tests it is cheaper: each sign-up makes one."""
    salt = b"reelm erased handle"
    assert erased_hash("Asha") == hashlib.scrypt(b"asha", salt=salt, n=1 << 14, r=8, p=1, dklen=32)


@pytest.mark.parametrize(
    "handle",
    [
        "ab",
        "a" * 31,
        "with space",
        "émile",
        "dot.",
        ".dot",
        "two..dots",
        "a/b",
        "",
        "nul\0nul",
        "@at",
    ],
)
def test_a_handle_of_another_shape_is_refused(session, parts, handle):
    with pytest.raises(Invalid, match="3 to 30"):
        signed_up(session, parts, handle=handle)


def test_a_handle_is_taken_without_regard_to_case(session, parts):
    signed_up(session, parts, handle="Kamal")
    with pytest.raises(Conflict, match="taken"):
        signed_up(session, parts, handle="kAMAL")


def test_reserved_handles_are_taken(session, parts):
    with pytest.raises(Conflict, match="taken"):
        signed_up(session, parts, handle="Admin")


@pytest.mark.parametrize("password", ["short", "x" * 201, "PassWord1", "zzzzzzzzzz", "own_handle"])
def test_a_password_that_is_guessed_first_is_refused(session, parts, password):
    with pytest.raises(Invalid):
        signed_up(session, parts, handle="own_handle", password=password)


def test_who_is_too_young_is_refused_without_a_hint(session, parts):
    today = clock.now().date()
    child = today.replace(year=today.year - 12, day=1)
    with pytest.raises(Forbidden) as refused:
        signed_up(session, parts, birth_date=child)
    sentence = refused.value.sentence.lower()
    assert not any(word in sentence for word in ("age", "old", "young", "birth", "13", "year"))
    assert session.scalar(select(func.count()).select_from(Account)) == 0


@pytest.mark.parametrize("birth_date", [date(2999, 1, 1), date(1850, 1, 1)])
def test_an_impossible_birth_date_is_refused(session, parts, birth_date):
    with pytest.raises(Invalid, match="living"):
        signed_up(session, parts, birth_date=birth_date)


def test_age_counts_whole_years():
    assert age_on(date(2026, 2, 28), date(2013, 2, 28)) == 13
    assert age_on(date(2026, 2, 27), date(2013, 2, 28)) == 12
    assert age_on(date(2026, 2, 28), date(2012, 2, 29)) == 13
    assert age_on(date(2025, 2, 28), date(2012, 2, 29)) == 12


def test_older_terms_are_refused(session, parts):
    with pytest.raises(Conflict, match="terms"):
        signed_up(session, parts, terms_version="2020-01")


def test_sign_ups_from_one_address_are_limited(session, parts):
    new = new_account(handle="x")
    for _ in range(30):
        with pytest.raises(Invalid):
            accounts.sign_up(session, parts, new, address="198.51.100.7")
    with pytest.raises(RateLimited) as refused:
        accounts.sign_up(session, parts, new, address="198.51.100.7")
    assert 0 < refused.value.retry_after_s <= 3600
    with pytest.raises(Invalid):
        accounts.sign_up(session, parts, new, address="198.51.100.8")


def test_a_command_makes_an_account_once(session, parts):
    account_id = accounts.ensure_account(session, parts, "importer")
    assert accounts.ensure_account(session, parts, "Importer") == account_id
    assert accounts.my_account(session, parts, account_id).birth_date is None


@pytest.mark.parametrize("name", ["a\u202eb", "tab\there", "n" * 51, "two\nlines", "   "])
def test_a_display_name_that_cannot_be_shown_is_refused(session, parts, name):
    with pytest.raises(Invalid, match="display name"):
        signed_up(session, parts, display_name=name)
