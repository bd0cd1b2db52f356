"""Sign up."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import DisplayName, LanguageTag, Me, PasswordText, me_of
from reelm.web.api.sessions import HandleText, begin
from reelm.web.viewer import Cookies, Viewer


class SignUpForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person fills in."""

    handle: HandleText
    password: PasswordText
    birth_date: date
    terms_version: Annotated[str, Meta(max_length=40)]
    display_name: DisplayName | None = None
    language: LanguageTag | None = None


class SignedUp(msgspec.Struct, frozen=True):
    """The new account; its recovery codes are shown this once."""

    account: Me
    recovery_codes: list[str]


def sign_up(
    session: Session, parts: Parts, viewer: Viewer, cookies: Cookies, body: SignUpForm
) -> SignedUp:
    """Make an account and sign in; sets the session cookie."""
    new = accounts.NewAccount(**msgspec.structs.asdict(body))
    made = accounts.sign_up(session, parts, new, address=viewer.address)
    begin(session, parts, viewer, cookies, made.account_id)
    return SignedUp(
        me_of(accounts.my_account(session, parts, made.account_id)), made.recovery_codes
    )
