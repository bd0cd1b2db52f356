"""Grievances for staff: what waits, one opened, acknowledged, resolved."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import moderation
from reelm.accounts import Reader
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.viewer import Viewer

DueCursor = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20}\.[0-9]{1,20})?$", max_length=64),
]


class GrievanceRow(msgspec.Struct, frozen=True):
    """A grievance in the list: nothing of who sent it, or what they wrote."""

    id: str
    kind: str
    target_kind: str
    target_id: str
    reason: str
    state: str
    outcome: str | None
    received_at: datetime
    due_at: datetime | None
    resolved_at: datetime | None
    is_overdue: bool
    has_account: bool


class GrievanceList(msgspec.Struct, frozen=True):
    """Grievances, what is due first at the head; `cursor` continues where there is more."""

    grievances: list[GrievanceRow]
    cursor: str | None


class OpenedRow(msgspec.Struct, frozen=True):
    """A grievance with its texts; that it was opened is logged."""

    grievance: GrievanceRow
    reporter_id: str | None
    target_exists: bool
    detail: str
    contact: str
    answer: str
    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None
    acknowledged_at: datetime | None


class ResolutionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of it, and what the complainant is told."""

    outcome: moderation.Outcome
    answer: Annotated[str, Meta(min_length=1, max_length=4000)]


class Acknowledged(msgspec.Struct, frozen=True):
    """When the grievance was acknowledged."""

    id: str
    acknowledged_at: datetime


class Resolved(msgspec.Struct, frozen=True):
    """When the grievance was resolved."""

    id: str
    resolved_at: datetime


def list_grievances(
    session: Session,
    viewer: Viewer,
    state: moderation.State = "waiting",
    kind: moderation.Kind | None = None,
    cursor: DueCursor | None = None,
) -> GrievanceList:
    """List grievances: of those that wait, what is due first."""
    found = moderation.list_grievances(
        session, role=viewer.role, state=state, kind=kind, cursor=cursor
    )
    return GrievanceList([_row(one) for one in found.grievances], found.cursor)


def open_grievance(session: Session, parts: Parts, reader: Reader, grievance_id: int) -> OpenedRow:
    """Open a grievance; the reading is logged with its purpose."""
    found = moderation.open_grievance(session, parts, grievance_id, reader=reader)
    fields = msgspec.structs.asdict(found)
    reporter_id = fields.pop("reporter_id")
    return OpenedRow(
        grievance=_row(fields.pop("listed")),
        reporter_id=None if reporter_id is None else str(reporter_id),
        **fields,
    )


def acknowledge(session: Session, parts: Parts, viewer: Viewer, grievance_id: int) -> Acknowledged:
    """Tell the complainant that somebody looks into it."""
    at = moderation.acknowledge(
        session, parts, grievance_id, officer_id=account_id_of(viewer), role=viewer.role
    )
    return Acknowledged(str(grievance_id), at)


def resolve(
    session: Session, parts: Parts, viewer: Viewer, grievance_id: int, body: ResolutionForm
) -> Resolved:
    """Close a grievance with an answer."""
    at = moderation.resolve(
        session,
        parts,
        grievance_id,
        officer_id=account_id_of(viewer),
        role=viewer.role,
        outcome=body.outcome,
        answer=body.answer,
    )
    return Resolved(str(grievance_id), at)


def _row(found: moderation.ListedGrievance) -> GrievanceRow:
    fields = msgspec.structs.asdict(found)
    number, target_id = str(fields.pop("id")), str(fields.pop("target_id"))
    return GrievanceRow(id=number, target_id=target_id, **fields)
