"""The console: what is due, grievances and decisions. Plain forms that need no script."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts, moderation, regions
from reelm.accounts import Power, Reader
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, ReelmError
from reelm.foundation.expected import sentence_of_body
from reelm.foundation.parts import Parts
from reelm.web.api import grievances as grievances_api
from reelm.web.api import staff_decisions as decisions_api
from reelm.web.errors import STATUS
from reelm.web.pages.reporting import address_of
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

Fields = dict[str, str]
Number = Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,18})?$")]
DUE_SHOWN = 8


def overview(request: Request, session: Session, parts: Parts, viewer: Viewer) -> Response:
    """Show what is due next, across orders and grievances, as far as the role may see it."""
    shown: dict[str, Any] = {"grievances": None, "orders": None, "waiting": None}
    if accounts.may(viewer.role, Power.HANDLE_GRIEVANCES):
        shown["grievances"] = grievances_api.list_grievances(session, viewer).grievances[:DUE_SHOWN]
        shown["waiting"] = moderation.waiting(session)
    if accounts.may(viewer.role, Power.SEE_ORDERS):
        shown["orders"] = [
            {**msgspec.to_builtins(order, str_keys=True), "id": str(order.id)}
            for order in regions.orders.orders_due(session, limit=DUE_SHOWN)
        ]
    shown["clocks_agree"] = regions.time_bounds(session).agree
    return page(request, viewer, "console_overview.html", pack=_pack(parts), **shown)


def grievances(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    state: moderation.State = "waiting",
    kind: Annotated[str, Meta(pattern=r"^(report|objection)?$")] = "",
    cursor: grievances_api.DueCursor | None = None,
) -> Response:
    """Show the grievances: of those that wait, what is due first."""
    found = moderation.list_grievances(
        session, role=viewer.role, state=state, kind=kind or None, cursor=cursor
    )
    rows = [{**msgspec.to_builtins(one), "id": str(one.id)} for one in found.grievances]
    return page(
        request,
        viewer,
        "console_grievances.html",
        grievances=rows,
        cursor=found.cursor,
        state=state,
        kind=kind,
        waiting=moderation.waiting(session),
        pack=_pack(parts),
    )


def grievance(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    reader: Reader,
    grievance_id: int,
) -> Response:
    """Open a grievance; that it was opened is logged."""
    return _opened(request, session, parts, viewer, reader, grievance_id)


def acknowledge(session: Session, parts: Parts, viewer: Viewer, grievance_id: int) -> Response:
    """Tell the complainant that somebody looks into it."""
    grievances_api.acknowledge(session, parts, viewer, grievance_id)
    return RedirectResponse(f"/console/grievances/{grievance_id}", 303)


def resolve(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    reader: Reader,
    grievance_id: int,
    form: Fields,
) -> Response:
    """Close a grievance with an answer."""
    try:
        body = converted(form, grievances_api.ResolutionForm)
        with session.begin_nested():
            grievances_api.resolve(session, parts, viewer, grievance_id, body)
    except ReelmError as error:
        return _opened(request, session, parts, viewer, reader, grievance_id, form, error)
    return RedirectResponse(f"/console/grievances/{grievance_id}", 303)


def decisions(
    request: Request,
    session: Session,
    viewer: Viewer,
    *,
    all: bool = False,  # noqa: A002
    cursor: Number = "",
) -> Response:
    """Show the decisions, the newest first."""
    found = decisions_api.list_decisions(session, viewer, in_force=not all, cursor=cursor or None)
    return page(
        request,
        viewer,
        "console_decisions.html",
        decisions=found.decisions,
        cursor=found.cursor,
        all=all,
    )


def decision_form(
    request: Request,
    viewer: Viewer,
    kind: moderation.DecisionKind = "withhold_video",
    target: Number = "",
    grievance: Number = "",
) -> Response:
    """Show the form of a new decision."""
    values = {"kind": kind, "target_id": target, "grievance_id": grievance}
    return page(request, viewer, "console_decision_form.html", values=values)


def decide(
    request: Request, session: Session, parts: Parts, viewer: Viewer, form: Fields
) -> Response:
    """Decide, from the form."""
    values: dict[str, Any] = {name: text for name, text in form.items() if text.strip()}
    if "countries" in values:
        values["countries"] = values["countries"].replace(",", " ").upper().split()
    values["automated_detection"] = "automated_detection" in form
    try:
        body = converted(values, decisions_api.DecisionForm)
        with session.begin_nested():
            made = decisions_api.decide(session, parts, viewer, body)
    except ReelmError as error:
        shown = {"values": form, "error": error.sentence}
        return page(request, viewer, "console_decision_form.html", STATUS[error.kind], **shown)
    return RedirectResponse(f"/console/decisions/{made.id}", 303)


def decision(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    reader: Reader,
    decision_id: int,
) -> Response:
    """Open a decision; that it was opened is logged."""
    return _opened_decision(request, session, parts, viewer, reader, decision_id)


def reverse(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    reader: Reader,
    decision_id: int,
    form: Fields,
) -> Response:
    """Reverse a decision."""
    try:
        body = converted(form, decisions_api.ReversalForm)
        with session.begin_nested():
            decisions_api.reverse(session, parts, viewer, decision_id, body)
    except ReelmError as error:
        return _opened_decision(request, session, parts, viewer, reader, decision_id, form, error)
    return RedirectResponse(f"/console/decisions/{decision_id}", 303)


def converted(values: dict[str, Any], kind: Any) -> Any:
    """Return the fields of a form as a value of a type.

    Raises:
        Invalid: one is missing or not as it should be.
    """
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"The form: {sentence_of_body(error, kind)}") from None


def _opened(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    reader: Reader,
    grievance_id: int,
    form: Fields | None = None,
    error: ReelmError | None = None,
) -> Response:
    found = grievances_api.open_grievance(session, parts, reader, grievance_id)
    row = found.grievance
    return page(
        request,
        viewer,
        "console_grievance.html",
        200 if error is None else STATUS[error.kind],
        opened=found,
        target_url=_target_url(session, found),
        values=form or {},
        error=None if error is None else error.sentence,
        decision_kind={
            "video": "withhold_video", "comment": "remove_comment", "account": "suspend_account"
        }.get(row.target_kind),
    )  # fmt: skip


def _opened_decision(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    reader: Reader,
    decision_id: int,
    form: Fields | None = None,
    error: ReelmError | None = None,
) -> Response:
    found = decisions_api.open_decision(session, parts, reader, decision_id)
    people = [found.account_id, found.decided_by, found.reversed_by]
    handles = accounts.handles_of(session, [int(one) for one in people if one is not None])
    return page(
        request,
        viewer,
        "console_decision.html",
        200 if error is None else STATUS[error.kind],
        opened=found,
        handles={str(number): handle for number, handle in handles.items()},
        values=form or {},
        error=None if error is None else error.sentence,
    )


def _target_url(session: Session, found: grievances_api.OpenedRow) -> str | None:
    kind, number = found.grievance.target_kind, found.grievance.target_id
    if not found.target_exists:
        return None
    if kind == "transfer":
        return "/transfer"
    if kind in {"order", "decision"}:
        return f"/console/{kind}s/{number}"
    return address_of(session, kind, int(number))


def _pack(parts: Parts) -> dict[str, Any]:
    """Return what the policy pack says of grievances, None where it says nothing."""
    pack = regions.load_pack(parts.settings.region.jurisdiction)
    return {
        "name": pack.name,
        "acknowledge_h": pack.grievance_acknowledged_within_h.value,
        "resolve_days": pack.grievance_resolved_within_days.value,
    }
