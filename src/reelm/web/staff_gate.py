"""How staff come in: signed in, second factor shown, power held, purpose said; in this order.

A program is told in a sentence what is missing. A person who opens a page is sent to where it is
made good, and comes back.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import Forbidden, Unauthenticated
from reelm.web.viewer import Viewer

SECOND_FACTOR_FIRST = "Set up the second factor of your account first, at /two-factor."
# Where people of an authority work.
CHANNEL = "/console/channel"
PURPOSE_FIRST = "Say first for what you read people's data: POST /api/staff/purposes."


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


def console_of(viewer: Viewer) -> str:
    """Return where the console begins for the viewer's role."""
    return "/console" if accounts.may(viewer.role, accounts.Power.SEE_CONSOLE) else CHANNEL


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
    session: Session, request: Request, viewer: Viewer, power: accounts.Power, *, reads: bool
) -> Response | None:
    """Return the way to what is missing before a page of the staff can open, or None.

    Args:
        session: the transaction.
        request: for the page.
        viewer: who asks.
        power: what the page needs.
        reads: whether the page reads people's data.
    """
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    place = None
    if viewer.account_id is None:
        place = "/sign-in"
    elif viewer.is_staff and not viewer.has_second_factor:
        place = "/two-factor"
    elif accounts.may(viewer.role, power) and reads and _standing(session, viewer) is None:
        place = "/staff/purpose"
    if place is None:
        return None
    # What was posted is not sent again from elsewhere: the person comes back to the console.
    target = here if request.method == "GET" else console_of(viewer)
    return RedirectResponse(f"{place}?next={quote(target, safe='/')}", 303)


def _standing(session: Session, viewer: Viewer) -> accounts.StandingPurpose | None:
    if viewer.account_id is None or viewer.session_id is None:
        return None
    return accounts.standing_purpose(session, viewer.account_id, viewer.session_id)
