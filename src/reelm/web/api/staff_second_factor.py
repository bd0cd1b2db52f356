"""The second factor of one's own staff account: set it up, end it."""

import msgspec

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import Forbidden
from reelm.foundation.parts import Parts
from reelm.web.api.me import Confirmation, PasswordText, account_id_of
from reelm.web.api.sessions import CodeText
from reelm.web.viewer import Cookies, Viewer


class SecondFactor(msgspec.Struct, frozen=True):
    """Whether the account has a second factor: none, begun or ready."""

    state: str


class SecretOfDevice(msgspec.Struct, frozen=True):
    """What the device needs: the secret, and the same as an otpauth address."""

    secret: str
    uri: str


class CodeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the device."""

    code: CodeText


class EndForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Password and code, before the second factor is ended."""

    password: PasswordText
    code: CodeText


def second_factor(session: Session, viewer: Viewer) -> SecondFactor:
    """Say whether one's own account has a second factor."""
    return SecondFactor(accounts.second_factor_state(session, account_id_of(viewer)))


def begin(session: Session, parts: Parts, viewer: Viewer, body: Confirmation) -> SecretOfDevice:
    """Make a secret for one's device; it counts once a code of the device has come back."""
    begun = accounts.begin_enrolment(session, parts, staff_account(viewer), password=body.password)
    return SecretOfDevice(begun.secret, begun.uri)


def confirm(session: Session, parts: Parts, viewer: Viewer, body: CodeForm) -> None:
    """Give the device's first code; all other sessions end."""
    accounts.finish_enrolment(
        session,
        parts,
        staff_account(viewer),
        code=body.code,
        address=viewer.address,
        session_id=viewer.session_id or 0,
    )


def end(session: Session, parts: Parts, viewer: Viewer, cookies: Cookies, body: EndForm) -> None:
    """End one's second factor, to set up another device; all sessions end."""
    accounts.end_own_second_factor(
        session,
        parts,
        account_id_of(viewer),
        password=body.password,
        code=body.code,
        address=viewer.address,
    )
    cookies.sign_out()


def staff_account(viewer: Viewer) -> int:
    """Return the viewer's account.

    Raises:
        Forbidden: it is no staff account.
    """
    account_id = account_id_of(viewer)
    if not viewer.is_staff:
        raise Forbidden("A second factor is for the accounts of the staff.")
    return account_id
