"""Reporting, objecting, following what becomes of it, and being told; all without scripts."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts, moderation, social
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, ReelmError
from reelm.foundation.expected import sentence_of_body
from reelm.foundation.parts import Parts
from reelm.web.api import notices as notices_api
from reelm.web.api import reports as reports_api
from reelm.web.api.me import account_id_of
from reelm.web.errors import STATUS
from reelm.web.news import to_everybody
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

Kind = Literal["video", "comment", "account"]
About = Literal["order", "decision", "transfer"]
Number = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$")]
Fields = dict[str, str]


def form(
    request: Request,
    session: Session,
    viewer: Viewer,
    kind: Kind = "video",
    id: Number = "1",  # noqa: A002
) -> Response:
    """Show the form of a report."""
    target = _target(session, viewer, kind, id)
    return page(request, viewer, "report.html", target=target)


def send(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    outbox: Outbox,
    form: Fields,
) -> Response:
    """Keep the report, and show its receipt."""
    body = _converted(form, reports_api.ReportForm)
    try:
        with session.begin_nested():
            receipt = reports_api.send_report(session, parts, viewer, outbox, body)
    except ReelmError as error:
        target = _target(session, viewer, body.target_kind, body.target_id)
        shown = {"target": target, "error": error.sentence, "values": form}
        return page(request, viewer, "report.html", STATUS[error.kind], **shown)
    return page(request, viewer, "grievance_receipt.html", 201, receipt=receipt)


def objection_form(
    request: Request,
    viewer: Viewer,
    about: About = "order",
    id: Number = "1",  # noqa: A002
) -> Response:
    """Show the form of an objection."""
    return page(request, viewer, "objection.html", about=about, id=id)


def object_to(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Keep the objection, and show its receipt."""
    body = _converted(form, reports_api.ObjectionForm)
    try:
        with session.begin_nested():
            receipt = reports_api.send_objection(session, parts, viewer, body)
    except ReelmError as error:
        shown = {"about": body.about, "id": body.id, "error": error.sentence, "values": form}
        return page(request, viewer, "objection.html", STATUS[error.kind], **shown)
    return page(request, viewer, "grievance_receipt.html", 201, receipt=receipt)


def follow_form(request: Request, viewer: Viewer, grievance_id: int) -> Response:
    """Ask for the code of a grievance; the code is never part of an address."""
    return page(request, viewer, "grievance.html", number=str(grievance_id))


def follow(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    grievance_id: int,
    form: Fields,
) -> Response:
    """Show how far a grievance is."""
    try:
        found = moderation.follow_grievance(
            session, parts, grievance_id, code=form.get("code", "")[:64], address=viewer.address
        )
    except ReelmError as error:
        shown = {"number": str(grievance_id), "error": error.sentence}
        return page(request, viewer, "grievance.html", STATUS[error.kind], **shown)
    one = reports_api.followed(found)
    return page(request, viewer, "grievance.html", number=one.id, grievance=one)


def notices(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: Annotated[str, Meta(max_length=32)] | None = None,
) -> Response:
    """Show what one is told, and how far one's own grievances are."""
    if viewer.account_id is None:
        return RedirectResponse("/sign-in?next=/notices", 303)
    listed = notices_api.list_notices(session, parts, viewer, cursor=cursor or None)
    sent = reports_api.my_grievances(session, parts, viewer).grievances
    return page(
        request,
        viewer,
        "notices.html",
        notices=listed.notices,
        unread=listed.unread,
        cursor=listed.cursor,
        grievances=sent,
    )


def read_notices(session: Session, parts: Parts, viewer: Viewer) -> Response:
    """Mark all of one's notices as read."""
    moderation.mark_all_read(session, parts, account_id_of(viewer), to_everybody(session))
    return RedirectResponse("/notices", 303)


def statement(
    request: Request, session: Session, parts: Parts, viewer: Viewer, decision_id: int
) -> Response:
    """Show the statement of reasons of a decision about one's own things."""
    found = moderation.my_decision(session, parts, account_id_of(viewer), decision_id)
    return page(request, viewer, "statement.html", statement=found)


def address_of(session: Session, kind: str, number: int) -> str | None:
    """Return the page of what was reported, or None where it has none."""
    try:
        if kind == "account":
            return f"/@{accounts.handle_of(session, number)}"
        if kind == "video":
            access = social.access_of(session, number)
            if access is not None:
                return f"/@{accounts.handle_of(session, access.account_id)}/{number}"
    except ReelmError:
        return None
    return None


def _converted(form: Fields, kind: Any) -> Any:
    try:
        return msgspec.convert(form, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"The form: {sentence_of_body(error, kind)}") from None


def _target(session: Session, viewer: Viewer, kind: str, text: str) -> dict[str, str | None]:
    title, url = None, None
    if kind == "video":
        try:
            video_id = reports_api.id_number(text)
            card = social.card(session, viewer.account_id, video_id, viewer.country)
        except ReelmError:
            pass  # the form does not tell whether there is such a video
        else:
            title = card.caption or f"A video by @{card.creator.handle}"
            url = f"/@{card.creator.handle}/{card.id}"
    return {"kind": kind, "id": text, "title": title, "url": url}
