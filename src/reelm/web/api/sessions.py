"""Sign in, recover, list sessions, sign out."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing, Unauthenticated
from reelm.foundation.parts import Parts
from reelm.web.api.me import Me, PasswordText, account_id_of, me_of
from reelm.web.viewer import Cookies, Viewer

HandleText = Annotated[str, Meta(max_length=64, description="A handle, with or without @.")]


CodeText = Annotated[
    str, Meta(max_length=20, description="The code of the second factor, where there is one.")
]
CODE_TOO = "This account has a second factor: send its code, too."


class SignInForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Handle and password, and the code of the second factor where the account has one."""

    handle: HandleText
    password: PasswordText
    code: CodeText = ""


class RecoveryForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recovery code and the password that it sets."""

    handle: HandleText
    recovery_code: Annotated[str, Meta(max_length=64)]
    new_password: PasswordText
    code: CodeText = ""


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in now."""

    account: Me


class SessionRow(msgspec.Struct, frozen=True):
    """One signed-in browser or program."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    address: str
    user_agent: str
    is_current: bool


class SessionList(msgspec.Struct, frozen=True):
    """The account's sessions."""

    sessions: list[SessionRow]


def sign_in(
    session: Session, parts: Parts, viewer: Viewer, cookies: Cookies, body: SignInForm
) -> SignedIn:
    """Sign in; sets the session cookie."""
    account_id = accounts.sign_in(
        session, parts, handle=body.handle, password=body.password, address=viewer.address
    )
    return _begun(session, parts, viewer, cookies, account_id, body.code)


def recover(
    session: Session, parts: Parts, viewer: Viewer, cookies: Cookies, body: RecoveryForm
) -> SignedIn:
    """Set a new password by a recovery code; ends all sessions and signs in here."""
    account_id = accounts.recover(
        session,
        parts,
        handle=body.handle,
        recovery_code=body.recovery_code,
        new_password=body.new_password,
        address=viewer.address,
    )
    return _begun(session, parts, viewer, cookies, account_id, body.code)


def list_sessions(session: Session, parts: Parts, viewer: Viewer) -> SessionList:
    """List where the account is signed in."""
    listed = accounts.list_sessions(session, parts, account_id_of(viewer))
    return SessionList(
        [
            SessionRow(
                str(row.session_id),
                row.created_at,
                row.last_seen_at,
                row.address,
                row.user_agent,
                row.session_id == viewer.session_id,
            )
            for row in listed
        ]
    )


def sign_out(session: Session, viewer: Viewer, cookies: Cookies) -> None:
    """Sign out here; being signed out already is no error."""
    if viewer.account_id is not None and viewer.session_id is not None:
        accounts.revoke_session(session, viewer.account_id, viewer.session_id)
    cookies.sign_out()


def end_session(session: Session, viewer: Viewer, cookies: Cookies, session_id: int) -> None:
    """End one of the account's sessions."""
    accounts.revoke_session(session, account_id_of(viewer), session_id)
    if session_id == viewer.session_id:
        cookies.sign_out()


def begin(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cookies: Cookies,
    account_id: int,
    *,
    code_taken: bool = False,
) -> bool:
    """Sign an account in from the viewer's browser, in place of who was signed in there.

    Returns:
        Whether it is signed in; if not, the new session awaits the code of the second factor.
    """
    if viewer.account_id is not None and viewer.session_id is not None:
        with suppress(Missing):  # a recovery has ended it with all others
            accounts.revoke_session(session, viewer.account_id, viewer.session_id)
    has_one = accounts.second_factor_state(session, account_id) == "ready"
    begun = accounts.begin_session(
        session,
        parts,
        account_id,
        address=viewer.address,
        user_agent=viewer.user_agent,
        second_factor=("passed" if code_taken else "awaited") if has_one else "none",
    )
    cookies.sign_in(begun.token, begun.expires_at)
    return code_taken or not has_one


def _begun(
    session: Session, parts: Parts, viewer: Viewer, cookies: Cookies, account_id: int, code: str
) -> SignedIn:
    has_one = accounts.second_factor_state(session, account_id) == "ready"
    if has_one and not code:
        raise Unauthenticated(CODE_TOO)
    if has_one:
        accounts.check_code(session, parts, account_id, code=code, address=viewer.address)
    begin(session, parts, viewer, cookies, account_id, code_taken=has_one)
    return SignedIn(me_of(accounts.my_account(session, parts, account_id)))
