"""Signing up, in and out, and coming back by a recovery code; plain forms that need no script."""

from datetime import date
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, ReelmError, Unauthenticated
from reelm.foundation.parts import Parts
from reelm.web.api import sessions
from reelm.web.errors import STATUS
from reelm.web.rendering import page
from reelm.web.viewer import SESSION_COOKIE, Cookies, Viewer

Fields = dict[str, str]


def sign_in_form(request: Request, viewer: Viewer, next: str = "/") -> Response:  # noqa: A002
    """Show the sign-in form."""
    return page(request, viewer, "sign_in.html", next=safe_path(next))


def sign_in(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cookies: Cookies,
    form: Fields,
) -> Response:
    """Sign in and go where the person was going."""
    target = safe_path(form.get("next", "/"))
    try:
        account_id = accounts.sign_in(
            session,
            parts,
            handle=form.get("handle", ""),
            password=form.get("password", ""),
            address=viewer.address,
        )
    except ReelmError as error:
        values = {"handle": form.get("handle", "")}
        shown = {"error": error.sentence, "values": values, "next": target}
        return page(request, viewer, "sign_in.html", STATUS[error.kind], **shown)
    return _entered(sessions.begin(session, parts, viewer, cookies, account_id), target)


def code_form(request: Request, session: Session, viewer: Viewer, next: str = "/") -> Response:  # noqa: A002
    """Show the form for the code of the second factor, where a sign-in awaits it."""
    if _awaiting(request, session) is None:
        return RedirectResponse("/sign-in", 303)
    return page(request, viewer, "two_factor_code.html", next=safe_path(next))


def give_code(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cookies: Cookies,
    form: Fields,
) -> Response:
    """Take the code and be signed in; the session that awaited it is replaced."""
    target = safe_path(form.get("next", "/"))
    awaiting = _awaiting(request, session)
    if awaiting is None:
        return RedirectResponse("/sign-in", 303)
    account_id, session_id = awaiting
    try:
        accounts.check_code(
            session, parts, account_id, code=form.get("code", ""), address=viewer.address
        )
    except ReelmError as error:
        shown = {"error": error.sentence, "next": target}
        return page(request, viewer, "two_factor_code.html", STATUS[error.kind], **shown)
    accounts.revoke_session(session, account_id, session_id)
    sessions.begin(session, parts, viewer, cookies, account_id, code_taken=True)
    return RedirectResponse(target, 303)


def sign_up_form(request: Request, viewer: Viewer) -> Response:
    """Show the form for a new account."""
    return page(request, viewer, "sign_up.html")


def sign_up(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cookies: Cookies,
    form: Fields,
) -> Response:
    """Make an account, sign it in, and show its recovery codes once."""
    try:
        with session.begin_nested():
            made = accounts.sign_up(session, parts, _new_account(form), address=viewer.address)
    except ReelmError as error:
        values = {key: form.get(key, "") for key in ("handle", "display_name", "birth_date")}
        shown = {"error": error.sentence, "values": values}
        return page(request, viewer, "sign_up.html", STATUS[error.kind], **shown)
    sessions.begin(session, parts, viewer, cookies, made.account_id)
    return page(request, viewer, "sign_up.html", 201, recovery_codes=made.recovery_codes)


def recover_form(request: Request, viewer: Viewer) -> Response:
    """Show the form that takes a recovery code."""
    return page(request, viewer, "recover.html")


def recover(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cookies: Cookies,
    form: Fields,
) -> Response:
    """Set a new password by a recovery code and sign in."""
    try:
        with session.begin_nested():
            account_id = accounts.recover(
                session,
                parts,
                handle=form.get("handle", ""),
                recovery_code=form.get("recovery_code", ""),
                new_password=form.get("new_password", ""),
                address=viewer.address,
            )
    except ReelmError as error:
        shown = {"error": error.sentence, "values": {"handle": form.get("handle", "")}}
        return page(request, viewer, "recover.html", STATUS[error.kind], **shown)
    # There are new codes to be made, and it opens also while the service is withheld.
    return _entered(sessions.begin(session, parts, viewer, cookies, account_id), "/settings")


def sign_out(session: Session, viewer: Viewer, cookies: Cookies) -> Response:
    """End this session."""
    if viewer.account_id is not None and viewer.session_id is not None:
        accounts.revoke_session(session, viewer.account_id, viewer.session_id)
    cookies.sign_out()
    return RedirectResponse("/", 303)


def require_account(viewer: Viewer) -> int:
    """Return the account's id.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    if viewer.account_id is None:
        raise Unauthenticated("Sign in first.")
    return viewer.account_id


def _new_account(form: Fields) -> accounts.NewAccount:
    try:
        birth_date = date.fromisoformat(form.get("birth_date", ""))
    except ValueError:
        raise Invalid("Give your date of birth as a date.") from None
    return accounts.NewAccount(
        handle=form.get("handle", ""),
        password=form.get("password", ""),
        birth_date=birth_date,
        terms_version=form.get("terms_version", ""),
        display_name=form.get("display_name") or None,
        language=form.get("language") or None,
    )


def _entered(is_signed_in: bool, target: str) -> Response:
    return RedirectResponse(
        target if is_signed_in else f"/sign-in/code?next={quote(target, safe='/')}", 303
    )


def _awaiting(request: Request, session: Session) -> tuple[int, int] | None:
    return accounts.awaiting_account(session, request.cookies.get(SESSION_COOKIE, ""))


def safe_path(target: str) -> str:
    """Return a path of this site, whatever was asked for."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_path and target.isprintable() else "/"
