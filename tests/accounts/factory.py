"""Make accounts for tests."""

import itertools
from datetime import date
from unittest.mock import patch

import pyotp

from reelm import accounts, regions
from reelm.foundation import clock
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts

PASSWORD = "a fine long passphrase"
_numbers = itertools.count(1)


def new_account(**changed) -> accounts.NewAccount:
    """What a person fills in, with a handle that is free."""
    fields = {
        "handle": f"person_{next(_numbers)}",
        "password": PASSWORD,
        "birth_date": date(1990, 5, 17),
        "terms_version": regions.TERMS_VERSION,
    }
    return accounts.NewAccount(**{**fields, **changed})


def signed_up(session: Session, parts: Parts, **changed) -> accounts.SignedUp:
    """Sign a person up."""
    return accounts.sign_up(session, parts, new_account(**changed), address="127.0.0.1")


def signed_in(session: Session, parts: Parts, account_id: int) -> accounts.NewSession:
    """Sign an account in."""
    return accounts.begin_session(
        session, parts, account_id, address="203.0.113.9", user_agent="Test Browser 1.0"
    )


def code_of(secret: str, steps: int = 0) -> str:
    """The code of a device, that of a later step of 30 s if asked for."""
    return pyotp.TOTP(secret).at(clock.now(), counter_offset=steps)


def enrolled(session: Session, parts: Parts, account_id: int) -> str:
    """Set up a second factor for an account and return its secret."""
    made = signed_in(session, parts, account_id)
    begun = accounts.begin_enrolment(session, parts, account_id, password=PASSWORD)
    accounts.finish_enrolment(
        session,
        parts,
        account_id,
        code=code_of(begun.secret),
        address="127.0.0.1",
        session_id=made.session_id,
    )
    return begun.secret


def count_calls(target: object, name: str):
    """Count the calls of a method that still does its work."""
    return patch.object(target, name, autospec=True, side_effect=getattr(target, name))
