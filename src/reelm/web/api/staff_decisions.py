"""Decisions of the staff on videos, comments and accounts, and their statements of reasons."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import moderation
from reelm.accounts import Reader
from reelm.foundation.countries import Country
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, number_of
from reelm.web.api.reports import ReportReason, id_number
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer

PAGE = 50


class DecisionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision and its reasons; `countries` null: wherever the region serves."""

    kind: moderation.DecisionKind
    target_id: Id
    ground: moderation.Ground
    basis: Annotated[str, Meta(min_length=1, max_length=200)]
    category: ReportReason
    facts: Annotated[str, Meta(min_length=1, max_length=4000)]
    countries: Annotated[list[Country], Meta(min_length=1, max_length=250)] | None = None
    grievance_id: Id | None = None
    automated_detection: bool = False


class ReversalForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the decision is reversed."""

    reason: Annotated[str, Meta(min_length=1, max_length=4000)]


class Decided(msgspec.Struct, frozen=True):
    """The decision was made."""

    id: str


class DecisionRow(msgspec.Struct, frozen=True):
    """A decision in the list, without its facts."""

    id: str
    kind: str
    target_id: str
    ground: str
    basis: str
    category: str
    countries: list[str] | None
    source_type: str
    grievance_id: str | None
    decided_at: datetime
    reversed_at: datetime | None


class DecisionList(msgspec.Struct, frozen=True):
    """Decisions, the newest first."""

    decisions: list[DecisionRow]
    cursor: str | None


class OpenedDecision(msgspec.Struct, frozen=True):
    """A decision with its facts; that it was opened is logged."""

    decision: DecisionRow
    account_id: str | None
    decided_by: str
    reversed_by: str | None
    reversal: str
    statement: moderation.StatementOfReasons


def decide(session: Session, parts: Parts, viewer: Viewer, body: DecisionForm) -> Decided:
    """Decide on a video, comment or account; the person is told, and may object."""
    new = moderation.NewDecision(
        kind=body.kind,
        target_id=id_number(body.target_id),
        ground=body.ground,
        basis=body.basis,
        category=body.category,
        facts=body.facts,
        countries=body.countries,
        grievance_id=None if body.grievance_id is None else id_number(body.grievance_id),
        automated_detection=body.automated_detection,
    )
    decision_id = moderation.decide(
        session, parts, new, officer_id=account_id_of(viewer), role=viewer.role
    )
    return Decided(str(decision_id))


def list_decisions(
    session: Session, viewer: Viewer, *, in_force: bool = True, cursor: Cursor | None = None
) -> DecisionList:
    """List decisions, the newest first."""
    found = moderation.list_decisions(
        session, role=viewer.role, in_force=in_force, before=number_of(cursor)
    )
    rows = [_row(one) for one in found[:PAGE]]
    return DecisionList(rows, rows[-1].id if len(found) > PAGE else None)


def open_decision(
    session: Session, parts: Parts, reader: Reader, decision_id: int
) -> OpenedDecision:
    """Open a decision; the reading is logged with its purpose."""
    found = moderation.open_decision(session, parts, decision_id, reader=reader)
    return OpenedDecision(
        decision=_row(found.listed),
        account_id=None if found.account_id is None else str(found.account_id),
        decided_by=str(found.decided_by),
        reversed_by=None if found.reversed_by is None else str(found.reversed_by),
        reversal=found.reversal,
        statement=found.statement,
    )


def reverse(
    session: Session, parts: Parts, viewer: Viewer, decision_id: int, body: ReversalForm
) -> None:
    """Reverse a decision: what it alone withheld is there again."""
    moderation.reverse(
        session,
        parts,
        decision_id,
        officer_id=account_id_of(viewer),
        role=viewer.role,
        reason=body.reason,
    )


def my_decision(
    session: Session, parts: Parts, viewer: Viewer, decision_id: int
) -> moderation.StatementOfReasons:
    """Read the statement of reasons of a decision about one's own things."""
    return moderation.my_decision(session, parts, account_id_of(viewer), decision_id)


def _row(found: moderation.ListedDecision) -> DecisionRow:
    fields = msgspec.structs.asdict(found)
    grievance_id = fields.pop("grievance_id")
    return DecisionRow(
        id=str(fields.pop("id")),
        target_id=str(fields.pop("target_id")),
        grievance_id=None if grievance_id is None else str(grievance_id),
        **fields,
    )
