"""Sign up: make an account.

That a handle is taken must be said, and handles are public in every address of a profile, so
this tells nobody what they could not look up. Nothing else here depends on who has an account.
"""

from datetime import date

import msgspec
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_of, check_handle, take_handle
from reelm.accounts.keys import make_key
from reelm.accounts.models import Account, AccountPrivate, Credential, TermsAcceptance
from reelm.accounts.passwords import check_password, hash_password
from reelm.accounts.profile import check_display_name, check_language
from reelm.accounts.rate import SIGN_UP_ADDRESS, address_group, count_try
from reelm.accounts.recovery import replace_codes
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Forbidden, Invalid
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.regions import TERMS_VERSION, load_pack

# Nobody is known to have lived longer than 122 years.
_OLDEST_YEARS = 125
# Says neither the age asked for nor that the birth date decided, so it does not tell how to lie.
_NOT_FOR_YOU = "We cannot make an account for you."


class SignedUp(msgspec.Struct, frozen=True):
    """A new account and its recovery codes, which are not to be had again."""

    account_id: int
    recovery_codes: list[str]


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What a person fills in."""

    handle: str
    password: str
    birth_date: date
    terms_version: str
    display_name: str | None = None
    language: str | None = None


def sign_up(session: Session, parts: Parts, new: NewAccount, *, address: str) -> SignedUp:
    """Make an account for a person.

    Raises:
        Invalid: a field is wrong; says which.
        Forbidden: the person is younger than the policy pack allows.
        Conflict: the handle is taken, or the terms have changed since they were read.
        RateLimited: too many accounts were made from this address.
    """
    count_try(parts, SIGN_UP_ADDRESS, address_group(address))
    check_handle(new.handle)
    check_password(new.password, new.handle)
    _check_birth_date(parts, new.birth_date)
    if new.terms_version != TERMS_VERSION:
        raise Conflict("The terms have changed since you read them; load the page again.")
    account_id = new_id()
    take_handle(session, account_id, new.handle)
    _add_account(session, account_id, new.handle, new.display_name, new.language)
    key = make_key(session, parts, account_id)
    sealed = key.seal(AccountPrivate.birth_date, new.birth_date.isoformat())
    session.add(AccountPrivate(account_id=account_id, birth_date=sealed))
    session.add(TermsAcceptance(account_id=account_id, version=TERMS_VERSION, accepted_at=now()))
    _add_password(session, account_id, new.password)
    return SignedUp(account_id, replace_codes(session, account_id))


def ensure_account(session: Session, parts: Parts, handle: str) -> int:
    """Return the account with this handle, making one without a password where there is none.

    For commands of the operator; `reset_account` gives the account to a person.

    Raises:
        Invalid: the handle cannot be one.
        Conflict: the handle is reserved, or its account was erased.
    """
    account_id = account_of(session, handle)
    if account_id is not None:
        return account_id
    check_handle(handle)
    account_id = new_id()
    take_handle(session, account_id, handle)
    _add_account(session, account_id, handle, None, None)
    make_key(session, parts, account_id)
    session.flush()
    return account_id


def _add_account(
    session: Session, account_id: int, handle: str, display_name: str | None, language: str | None
) -> None:
    session.add(
        Account(
            id=account_id,
            handle=handle,
            display_name=check_display_name(display_name) if display_name else handle,
            links=[],
            language=check_language(language) if language else None,
            created_at=now(),
        )
    )
    session.flush()


def _add_password(session: Session, account_id: int, password: str) -> None:
    session.add(
        Credential(account_id=account_id, password_hash=hash_password(password), changed_at=now())
    )
    session.flush()


def _check_birth_date(parts: Parts, birth_date: date) -> None:
    today = now().date()
    age = age_on(today, birth_date)
    if birth_date > today or age > _OLDEST_YEARS:
        raise Invalid("The birth date is not one of a living person.")
    if age < load_pack(parts.settings.region.jurisdiction).minimum_age:
        raise Forbidden(_NOT_FOR_YOU)


def age_on(day: date, birth_date: date) -> int:
    """Return the age in whole years; who was born on 29 February has the birthday on 1 March."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (0 if had_birthday else 1)
