"""Reports and objections: anyone sends them, and follows what becomes of them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm import feed, moderation
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, number_of
from reelm.web.api.signals import tell
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer

Detail = Annotated[str, Meta(max_length=4000)]
Contact = Annotated[str, Meta(max_length=200)]
ReportedKind = Literal["video", "comment", "account"]
ReportReason = Literal["spam", "nudity", "violence", "hate", "minor_safety", "illegal", "other"]


class ReportForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is reported, and why."""

    target_kind: ReportedKind
    target_id: Id
    reason: ReportReason
    detail: Detail = ""
    contact: Contact = ""


class ObjectionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An objection to a legal order, to a decision of the staff or to the sale of the region."""

    about: Literal["order", "decision", "transfer"]
    id: Id
    detail: Annotated[str, Meta(min_length=1, max_length=4000)]
    contact: Contact = ""


class CodeOfGrievance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret code of the receipt."""

    code: Annotated[str, Meta(max_length=64)]


class Received(msgspec.Struct, frozen=True):
    """The receipt: number and code tell later how far it is; null: no deadline holds here."""

    id: str
    code: str
    received_at: datetime
    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None


class Followed(msgspec.Struct, frozen=True):
    """How far a grievance is; outcome and answer come when it is resolved."""

    id: str
    kind: str
    target_kind: str
    target_id: str
    reason: str
    state: str
    outcome: str | None
    answer: str
    received_at: datetime
    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None


class FollowedPage(msgspec.Struct, frozen=True):
    """One's own grievances, the newest first."""

    grievances: list[Followed]
    cursor: str | None


def send_report(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, body: ReportForm
) -> Received:
    """Report a video, comment or account; an account is not needed."""
    new = moderation.NewGrievance(
        target_kind=body.target_kind,
        target_id=id_number(body.target_id),
        reason=body.reason,
        detail=body.detail,
        contact=body.contact,
    )
    received = _receive(session, parts, viewer, new)
    if body.target_kind == "video":
        video_id = id_number(body.target_id)
        tell(session, parts, viewer, outbox, feed.Kind.REPORT, video_id=video_id)
    return received


def send_objection(session: Session, parts: Parts, viewer: Viewer, body: ObjectionForm) -> Received:
    """Object to a legal order, a decision or the region's sale; an account is not needed."""
    new = moderation.NewGrievance(
        target_kind=body.about,
        target_id=id_number(body.id),
        reason="objection",
        detail=body.detail,
        contact=body.contact,
    )
    return _receive(session, parts, viewer, new)


def follow_grievance(
    session: Session, parts: Parts, viewer: Viewer, grievance_id: int, body: CodeOfGrievance
) -> Followed:
    """Say how far a grievance is, to who has its code."""
    found = moderation.follow_grievance(
        session, parts, grievance_id, code=body.code, address=viewer.address
    )
    return followed(found)


def my_grievances(
    session: Session, parts: Parts, viewer: Viewer, cursor: Cursor | None = None
) -> FollowedPage:
    """List the grievances that one has sent."""
    found = moderation.my_grievances(
        session, parts, account_id_of(viewer), before=number_of(cursor)
    )
    rows = [followed(one) for one in found]
    return FollowedPage(rows, rows[-1].id if len(rows) == moderation.PAGE else None)


def followed(found: moderation.FollowedGrievance) -> Followed:
    """Return a grievance in the shape of the API."""
    fields = msgspec.structs.asdict(found)
    number, target_id = str(fields.pop("number")), str(fields.pop("target_id"))
    return Followed(id=number, target_id=target_id, **fields)


def id_number(text: str) -> int:
    """Return an id as a number; one of 64 bits names nothing that there is."""
    return min(int(text), (1 << 63) - 1)


def _receive(
    session: Session, parts: Parts, viewer: Viewer, new: moderation.NewGrievance
) -> Received:
    receipt = moderation.receive_grievance(
        session, parts, new, reporter_id=viewer.account_id, address=viewer.address
    )
    fields = msgspec.structs.asdict(receipt)
    return Received(id=str(fields.pop("number")), **fields)
