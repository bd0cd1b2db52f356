"""The console's pages of legal orders."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts, moderation, regions
from reelm.accounts import Reader
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, ReelmError
from reelm.foundation.parts import Parts
from reelm.regions import orders
from reelm.web.api import disclosures
from reelm.web.api import orders as orders_api
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import number_of
from reelm.web.errors import STATUS
from reelm.web.pages.console import converted
from reelm.web.pages.console_authorities import listed_authorities
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

Fields = dict[str, str]
Number = Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,18})?$")]
State = Literal[
    "due", "entered", "in_force", "complied", "ended", "lifted", "lapsed", "refused", ""
]
PAGE = 50
KINDS = (
    "remove", "geo_restrict", "suspend_account", "block_service", "preserve", "disclose",
    "stay_transfer", "confirm", "lift",
)  # fmt: skip


def list_orders(
    request: Request,
    session: Session,
    viewer: Viewer,
    state: State = "due",
    cursor: Number = "",
) -> Response:
    """Show the orders: those that wait by what is due first, others the newest first."""
    if state == "due":
        found = orders.orders_due(session, limit=PAGE)
    else:
        before = number_of(cursor or None)
        found = orders.orders(session, state=state or None, before_id=before, limit=PAGE + 1)
    more = str(found[PAGE - 1].id) if len(found) > PAGE else None
    rows = [_shown(one) for one in found[:PAGE]]
    return page(request, viewer, "console_orders.html", orders=rows, cursor=more, state=state)


def order(
    request: Request, session: Session, viewer: Viewer, reader: Reader, order_id: int
) -> Response:
    """Open the file of an order; that it was opened is logged."""
    return _file(request, session, viewer, reader, order_id)


def paper_form(
    request: Request,
    session: Session,
    viewer: Viewer,
    kind: Annotated[str, Meta(max_length=30)] = "remove",
    authority: Number = "",
    about: Annotated[str, Meta(max_length=200)] = "",
) -> Response:
    """Show the form for an order on paper."""
    now_text = f"{regions.time_bounds(session).latest:%Y-%m-%dT%H:%M}"
    values = {"kind": kind, "authority": authority, "orders": about, "received_at": now_text}
    return _form(request, session, viewer, values)


def enter(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Keep what the officer read in a document; it holds once somebody else has checked it."""
    try:
        statement = _statement(session, form)
        received_at = _required_time(form, "received_at", "when the document came")
        with session.begin_nested():
            taken = moderation.enter_order(
                session,
                parts,
                statement,
                document_digest=_digest(form),
                received_at=received_at,
                entered_by=account_id_of(viewer),
            )
    except ReelmError as error:
        return _form(request, session, viewer, form, error)
    return RedirectResponse(f"/console/orders/{taken.order_id}", 303)


def check(
    request: Request,
    session: Session,
    viewer: Viewer,
    reader: Reader,
    order_id: int,
    form: Fields,
) -> Response:
    """Say, as a second person with the same document, whether the order was entered rightly."""
    try:
        agrees = form.get("agrees") == "yes"
        if agrees and _digest(form) != orders.order(session, order_id).document_digest:
            raise Invalid("Your document is another than the one that was entered.")
        with session.begin_nested():
            moderation.check_order(
                session, order_id, checked_by=account_id_of(viewer), agrees=agrees
            )
    except ReelmError as error:
        return _file(request, session, viewer, reader, order_id, error)
    return RedirectResponse(f"/console/orders/{order_id}", 303)


def channel(
    request: Request,
    session: Session,
    viewer: Viewer,
    digest: Annotated[str, Meta(max_length=64)] = "",
) -> Response:
    """Show people of an authority what became of an order whose document they have."""
    try:
        found = (
            orders_api.order_status(session, _digest({"document_digest": digest}))
            if digest
            else None
        )
    except ReelmError as error:
        return _channel(request, session, viewer, {"digest": digest}, error=error)
    return _channel(request, session, viewer, {"digest": digest}, found)


def hand_in(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Take a signed order in, as the API does."""
    envelope = form.get("envelope", "").strip().encode()
    try:
        with session.begin_nested():
            found = orders_api.submit_order(session, parts, viewer, envelope)
    except ReelmError as error:
        return _channel(request, session, viewer, form, error=error)
    return _channel(request, session, viewer, {}, found)


def _channel(
    request: Request,
    session: Session,
    viewer: Viewer,
    values: Fields,
    found: orders_api.OrderTaken | None = None,
    error: ReelmError | None = None,
) -> Response:
    return page(
        request,
        viewer,
        "console_channel.html",
        200 if error is None else STATUS[error.kind],
        found=found,
        values=values,
        region_id=regions.region_id(session),
        error=None if error is None else error.sentence,
    )


def _statement(session: Session, form: Fields) -> orders.OrderStatement:
    countries = form.get("countries", "").replace(",", " ").upper().split()
    values: dict[str, Any] = {
        "form": orders.FORM,
        "region": regions.region_id(session),
        "authority": form.get("authority", ""),
        "reference": form.get("reference", "").strip(),
        "kind": form.get("kind", ""),
        "basis": form.get("basis", "").strip(),
        "reasons": form.get("reasons", "").replace("\r\n", "\n").strip(),
        "issued_at": _required_time(form, "issued_at", "the date and time of the document"),
        "targets": {
            name: form.get(name, "").replace(",", " ").split() for name in ("videos", "accounts")
        }
        | {
            "orders": [line.strip() for line in form.get("orders", "").splitlines() if line.strip()]
        },
        "countries": countries or None,
        "category": form.get("category", "general"),
        "interim": "interim" in form,
        "confidential": "confidential" in form,
        "complies_by": _time(form, "complies_by"),
        "lapses_at": _time(form, "lapses_at"),
    }
    statement: orders.OrderStatement = converted(values, orders.OrderStatement)
    return statement


def _required_time(form: Fields, name: str, what: str) -> datetime:
    found = _time(form, name)
    if found is None:
        raise Invalid(f"Say {what}.")
    return found


def _time(form: Fields, name: str) -> datetime | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(f"{name.replace('_', ' ').capitalize()} is a date and time in UTC.") from None


def _digest(form: Fields) -> str:
    digest = form.get("document_digest", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise Invalid(
            "The document's SHA-256 is 64 hex digits: choose the file, or `sha256sum` it."
        )
    return digest


def _form(
    request: Request,
    session: Session,
    viewer: Viewer,
    values: Fields,
    error: ReelmError | None = None,
) -> Response:
    return page(
        request,
        viewer,
        "console_order_form.html",
        200 if error is None else STATUS[error.kind],
        values=values,
        kinds=KINDS,
        authorities=listed_authorities(session),
        error=None if error is None else error.sentence,
    )


def _file(
    request: Request,
    session: Session,
    viewer: Viewer,
    reader: Reader,
    order_id: int,
    error: ReelmError | None = None,
) -> Response:
    found = moderation.open_order(session, order_id, reader=reader)
    is_mine = found.order.entered_by == viewer.account_id
    disclosure = None
    if found.order.kind == "disclose":
        disclosure = disclosures.shown(accounts.disclosure(session, order_id))
    return page(
        request,
        viewer,
        "console_order.html",
        200 if error is None else STATUS[error.kind],
        order=_shown(found.order),
        signed_by=found.signed_by,
        effect=[{**msgspec.to_builtins(one), "id": str(one.subject_id)} for one in found.effect],
        history=[{**msgspec.to_builtins(one), "id": str(one.entry_id)} for one in found.history],
        handles=_handles(session, found),
        is_mine=is_mine,
        disclosure=disclosure,
        error=None if error is None else error.sentence,
    )


def _handles(session: Session, found: moderation.OrderFile) -> dict[str, str]:
    """Return the handles of the staff who had to do with an order, by their ids."""
    officers = [act.officer_id for act in found.history] + [
        found.order.entered_by,
        found.order.checked_by,
    ]
    ids = [int(one) for one in officers if one is not None]
    return {str(number): handle for number, handle in accounts.handles_of(session, ids).items()}


def _shown(found: orders.ListedOrder) -> dict[str, Any]:
    """Return an order for a template: ids as text, as 63 bits are more than JSON numbers hold.

    The digest of a document that nobody has checked is kept back: who checks it has to have it.
    """
    shown: dict[str, Any] = msgspec.to_builtins(found)
    for name in ("id", "authority_id", "ended_by", "entered_by", "checked_by"):
        shown[name] = None if shown[name] is None else str(shown[name])
    if found.state in {"entered", "refused"}:
        del shown["document_digest"]
    return shown
