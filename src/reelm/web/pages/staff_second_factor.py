"""The page where staff set up their second factor; plain forms that need no script."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import ReelmError
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.staff_second_factor import staff_account
from reelm.web.errors import STATUS
from reelm.web.pages.gate import safe_path
from reelm.web.rendering import page
from reelm.web.viewer import Cookies, Viewer

Fields = dict[str, str]


def show(
    request: Request,
    session: Session,
    viewer: Viewer,
    next: str = "",  # noqa: A002
) -> Response:
    """Show whether there is a second factor, and how to set one up or end it."""
    if viewer.account_id is None:
        return RedirectResponse("/sign-in?next=/two-factor", 303)
    return _shown(request, session, viewer, {"next": _target(viewer, next)})


def begin(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Check the password, and show the secret as a picture and as text."""
    shown: dict[str, Any] = {"next": _target(viewer, form.get("next", ""))}
    try:
        shown["enrolment"] = accounts.begin_enrolment(
            session, parts, staff_account(viewer), password=form.get("password", "")
        )
    except ReelmError as error:
        return _shown(request, session, viewer, {**shown, "error": error.sentence}, error)
    return _shown(request, session, viewer, shown)


def confirm(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Take the device's first code."""
    target = _target(viewer, form.get("next", ""))
    account_id = staff_account(viewer)
    try:
        with session.begin_nested():
            accounts.finish_enrolment(
                session,
                parts,
                account_id,
                code=form.get("code", ""),
                address=viewer.address,
                session_id=viewer.session_id or 0,
            )
    except ReelmError as error:
        shown: dict[str, Any] = {"next": target, "error": error.sentence}
        if accounts.second_factor_state(session, account_id) == "begun":
            shown["enrolment"] = accounts.begun_enrolment(session, parts, account_id)
        return _shown(request, session, viewer, shown, error)
    return RedirectResponse(target, 303)


def end(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cookies: Cookies,
    form: Fields,
) -> Response:
    """End the second factor; all sessions end."""
    try:
        with session.begin_nested():
            accounts.end_own_second_factor(
                session,
                parts,
                account_id_of(viewer),
                password=form.get("password", ""),
                code=form.get("code", ""),
                address=viewer.address,
            )
    except ReelmError as error:
        shown = {"next": "/two-factor", "error": error.sentence}
        return _shown(request, session, viewer, shown, error)
    cookies.sign_out()
    return RedirectResponse("/sign-in?next=/two-factor", 303)


def _target(viewer: Viewer, asked: str) -> str:
    return safe_path(asked) if asked else viewer.console


def _shown(
    request: Request,
    session: Session,
    viewer: Viewer,
    variables: dict[str, Any],
    error: ReelmError | None = None,
) -> Response:
    state = accounts.second_factor_state(session, account_id_of(viewer))
    status = 200 if error is None else STATUS[error.kind]
    shown = {"state": state, "is_for_staff": viewer.is_staff, **variables}
    return page(request, viewer, "two_factor.html", status, **shown)
