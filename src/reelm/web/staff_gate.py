"""How staff come in: signed in, second factor shown, power held, purpose said; in this order.

A program is told in a sentence what is missing. A person who opens a page is sent to where it is
made good, and comes back. Who sends a form after the purpose has run out is asked for it by a form
that carries what was typed, so that nothing of it is lost.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import Forbidden, ReelmError, Unauthenticated
from reelm.foundation.parts import Parts
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

SECOND_FACTOR_FIRST = "Set up the second factor of your account first, at /two-factor."
PURPOSE_FIRST = "Say first for what you read people's data: POST /api/staff/purposes."
# Fields by which a form says the purpose, too, where none stood when it was sent first.
SAID_PURPOSE, SAID_NOTE = "said_purpose", "said_note"


def check_staff(viewer: Viewer, power: accounts.Power) -> None:
    """Refuse who may not use a power of the staff.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: no staff, no second factor, or a role without this power.
    """
    if viewer.account_id is None:
        raise Unauthenticated("Sign in first.")
    if not viewer.is_staff:
        raise Forbidden("This is for the staff of the region.")
    accounts.require(viewer.role, power)
    if not viewer.has_second_factor:
        raise Forbidden(SECOND_FACTOR_FIRST)


def reader_of(session: Session, viewer: Viewer) -> accounts.Reader:
    """Return the staff member as a reader of people's data.

    Raises:
        Forbidden: no purpose was said in this session, or it holds no longer.
    """
    standing = _standing(session, viewer)
    if standing is None or viewer.account_id is None or viewer.role is None:
        raise Forbidden(PURPOSE_FIRST)
    return accounts.Reader(
        viewer.account_id, viewer.role, standing.purpose, standing.purpose_id, viewer.country
    )


def elsewhere(
    session: Session,
    parts: Parts,
    request: Request,
    viewer: Viewer,
    power: accounts.Power,
    *,
    reads: bool,
    form: Mapping[str, str],
) -> Response | None:
    """Return the way to what is missing before a page of the staff can open, or None.

    Args:
        session: the transaction.
        parts: the open region.
        request: for the page.
        viewer: who asks.
        power: what the page needs.
        reads: whether the page reads people's data.
        form: what was posted.
    """
    if viewer.account_id is None:
        return _to("/sign-in", request, viewer)
    if viewer.is_staff and not viewer.has_second_factor:
        return _to("/two-factor", request, viewer)
    if not (reads and accounts.may(viewer.role, power)) or _standing(session, viewer) is not None:
        return None
    if request.method == "GET":
        return _to("/staff/purpose", request, viewer)
    return _with_purpose(session, parts, request, viewer, form)


def without_purpose(form: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a form that are not about the purpose."""
    return {name: value for name, value in form.items() if name not in {SAID_PURPOSE, SAID_NOTE}}


def _to(place: str, request: Request, viewer: Viewer) -> Response:
    here = urlsplit(str(request.url))
    if request.method != "GET":  # a form is not sent again from elsewhere: back to where it was
        form_page = urlsplit(request.headers.get("referer", ""))
        is_ours = form_page.netloc == request.headers.get("host")
        here = form_page if is_ours else urlsplit(viewer.console)
    target = here.path + (f"?{here.query}" if here.query else "")
    return RedirectResponse(f"{place}?next={quote(target, safe='/')}", 303)


def _with_purpose(
    session: Session, parts: Parts, request: Request, viewer: Viewer, form: Mapping[str, str]
) -> Response | None:
    """Keep the purpose that a form says; without one ask, by a form that carries the other."""
    error = None
    if SAID_PURPOSE in form and viewer.account_id is not None and viewer.session_id is not None:
        purpose, note = form[SAID_PURPOSE], form.get(SAID_NOTE, "")
        try:
            accounts.say_purpose(
                session,
                parts,
                viewer.account_id,
                session_id=viewer.session_id,
                purpose=purpose,
                note=note,
            )
        except ReelmError as refused:
            error = refused.sentence
        else:
            return None
    return page(
        request,
        viewer,
        "staff_purpose.html",
        403 if error is None else 400,
        purposes=accounts.PURPOSES,
        action=request.url.path,
        carried=without_purpose(form),
        values={"purpose": form.get(SAID_PURPOSE, ""), "note": form.get(SAID_NOTE, "")},
        error=error,
    )


def _standing(session: Session, viewer: Viewer) -> accounts.StandingPurpose | None:
    if viewer.account_id is None or viewer.session_id is None:
        return None
    return accounts.standing_purpose(session, viewer.account_id, viewer.session_id)
