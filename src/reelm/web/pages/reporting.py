"""The report form, which works without an account and without scripts."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from reelm import accounts, social
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, Missing, ReelmError
from reelm.foundation.parts import Parts
from reelm.web.api import reports as reports_api
from reelm.web.errors import STATUS
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

Kind = Literal["video", "comment", "account"]
Number = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$")]


def form(
    request: Request,
    session: Session,
    viewer: Viewer,
    kind: Kind = "video",
    id: Number = "1",  # noqa: A002
) -> Response:
    """Show the form."""
    target = _target(session, viewer, kind, id)
    return page(request, viewer, "report.html", target=target)


def send(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    outbox: Outbox,
    form: dict[str, str],
) -> Response:
    """Keep the report."""
    try:
        body = msgspec.convert(form, reports_api.ReportForm)
    except msgspec.ValidationError as error:
        raise Invalid(f"The report is not as it should be: {error}.") from None
    try:
        with session.begin_nested():
            reports_api.send_report(session, parts, viewer, outbox, body)
    except ReelmError as error:
        target = _target(session, viewer, body.target_kind, body.target_id)
        shown = {"target": target, "error": error.sentence, "values": form}
        return page(request, viewer, "report.html", STATUS[error.kind], **shown)
    return page(request, viewer, "report.html", 201, sent=True, target=None)


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


def _target(session: Session, viewer: Viewer, kind: str, text: str) -> dict[str, str | None]:
    title, url = None, None
    if kind == "video":
        try:
            card = social.card(session, viewer.account_id, reports_api.id_number(text))
        except Missing:
            pass  # the form does not tell whether there is such a video
        else:
            title = card.caption or f"A video by @{card.creator.handle}"
            url = f"/@{card.creator.handle}/{card.id}"
    return {"kind": kind, "id": text, "title": title, "url": url}
