"""Pages about the staff themselves: jobs, purposes, who read what, roles."""

from typing import Annotated, Any

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.errors import ReelmError
from reelm.foundation.parts import Parts
from reelm.web.api import jobs as jobs_api
from reelm.web.api import staff as staff_api
from reelm.web.errors import STATUS
from reelm.web.pages.console import converted
from reelm.web.pages.gate import safe_path
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

Fields = dict[str, str]


def jobs(request: Request, session: Session, viewer: Viewer) -> Response:
    """Show what is queued, running and failed."""
    found = jobs_api.jobs(session, viewer)
    return page(request, viewer, "jobs.html", jobs=found.jobs, counts=found.counts)


def purpose_form(request: Request, viewer: Viewer, next: str = "/console") -> Response:  # noqa: A002
    """Ask for what one reads people's data."""
    purposes = accounts.PURPOSES
    return page(request, viewer, "staff_purpose.html", next=safe_path(next), purposes=purposes)


def say_purpose(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Keep the purpose for an hour and go where the person was going."""
    target = safe_path(form.pop("next", "/console"))
    try:
        body = converted(form, staff_api.PurposeForm)
        staff_api.say_purpose(session, parts, viewer, body)
    except ReelmError as error:
        shown: dict[str, Any] = {"next": target, "purposes": accounts.PURPOSES}
        shown["error"] = error.sentence
        return page(request, viewer, "staff_purpose.html", STATUS[error.kind], values=form, **shown)
    return RedirectResponse(target, 303)


def access_log(
    request: Request,
    session: Session,
    viewer: Viewer,
    cursor: Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,18})?$")] = "",
    reader: Annotated[str, Meta(max_length=64)] = "",
) -> Response:
    """Show who of the staff read what, when, for what and from where."""
    shown: dict[str, Any] = {"readings": [], "cursor": None, "reader": reader, "error": None}
    try:
        found = staff_api.access_log(session, cursor=cursor or None, reader=reader)
    except ReelmError as error:
        shown["error"] = error.sentence
        return page(request, viewer, "staff_access_log.html", STATUS[error.kind], **shown)
    shown.update(readings=found.readings, cursor=found.cursor)
    return page(request, viewer, "staff_access_log.html", **shown)


def people(request: Request, session: Session, viewer: Viewer) -> Response:
    """Show the accounts that have a role."""
    return _people(request, session, viewer)


def set_role(request: Request, session: Session, viewer: Viewer, form: Fields) -> Response:
    """Give a role, or take one away."""
    handle, role = form.get("handle", ""), form.get("role", "")
    try:
        with session.begin_nested():
            given = staff_api.RoleForm(None if role == "none" else role)
            staff_api.put_role(session, viewer, handle.removeprefix("@"), given)
    except ReelmError as error:
        return _people(request, session, viewer, error)
    return RedirectResponse("/console/staff", 303)


def end_second_factor(request: Request, session: Session, viewer: Viewer, form: Fields) -> Response:
    """End the second factor of one of the staff who has lost the device."""
    try:
        with session.begin_nested():
            staff_api.end_second_factor(session, viewer, form.get("handle", ""))
    except ReelmError as error:
        return _people(request, session, viewer, error)
    return RedirectResponse("/console/staff", 303)


def _people(
    request: Request, session: Session, viewer: Viewer, error: ReelmError | None = None
) -> Response:
    powers = {
        role: [power for power in accounts.Power if accounts.may(role, power)]
        for role in accounts.ROLES
    }
    return page(
        request,
        viewer,
        "console_staff.html",
        200 if error is None else STATUS[error.kind],
        people=staff_api.list_staff(session).accounts,
        roles=accounts.ROLES,
        powers=powers,
        error=None if error is None else error.sentence,
    )
