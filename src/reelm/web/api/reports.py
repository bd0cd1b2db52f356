"""Reports: anyone sends them, staff read and close them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm import audit, feed, moderation
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.signals import tell
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer


class ReportForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is reported, and why."""

    target_kind: moderation.TargetKind
    target_id: Id
    reason: moderation.Reason
    detail: Annotated[str, Meta(max_length=4000)] = ""
    contact: Annotated[str, Meta(max_length=200)] = ""


class Received(msgspec.Struct, frozen=True):
    """The report was kept for staff."""

    id: str


class ReportRow(msgspec.Struct, frozen=True):
    """A report as staff see it."""

    id: str
    reporter_id: str | None
    target_kind: str
    target_id: str
    target_exists: bool
    reason: str
    detail: str
    contact: str
    state: str
    created_at: datetime


class ReportPage(msgspec.Struct, frozen=True):
    """Reports, the oldest first; `cursor` continues where there are more."""

    reports: list[ReportRow]
    cursor: str | None


class ClosureForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of the report."""

    outcome: moderation.Outcome


class Closed(msgspec.Struct, frozen=True):
    """The report is closed."""

    id: str
    closed_at: datetime


def send_report(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, body: ReportForm
) -> Received:
    """Report a video, comment or account; an account is not needed."""
    new = moderation.NewReport(
        target_kind=body.target_kind,
        target_id=id_number(body.target_id),
        reason=body.reason,
        detail=body.detail,
        contact=body.contact,
    )
    report_id = moderation.report(
        session, parts, new, reporter_id=viewer.account_id, address=viewer.address
    )
    if body.target_kind == "video":
        video_id = id_number(body.target_id)
        tell(session, parts, viewer, outbox, feed.Kind.REPORT, video_id=video_id)
    return Received(str(report_id))


def list_reports(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    state: Literal["open", "closed"] = "open",
    cursor: Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,18})$")] = "0",
    purpose: audit.Purpose = "handling reports",
) -> ReportPage:
    """List reports for staff; the reading is logged with its purpose."""
    opened = moderation.read_reports(
        session,
        parts,
        reader_id=account_id_of(viewer),
        role=viewer.role,
        purpose=purpose,
        state=state,
        after_id=id_number(cursor),
    )
    rows = [_row(report) for report in opened]
    return ReportPage(rows, rows[-1].id if len(rows) == moderation.PAGE else None)


def close_report(session: Session, viewer: Viewer, report_id: int, body: ClosureForm) -> Closed:
    """Close a report and say what came of it."""
    closed_at = moderation.close_report(
        session,
        report_id,
        closer_id=account_id_of(viewer),
        role=viewer.role,
        outcome=body.outcome,
    )
    return Closed(str(report_id), closed_at)


def id_number(text: str) -> int:
    """Return an id as a number; one of 64 bits names nothing that there is."""
    return min(int(text), (1 << 63) - 1)


def _row(report: moderation.OpenedReport) -> ReportRow:
    fields = msgspec.structs.asdict(report)
    reporter_id = fields.pop("reporter_id")
    return ReportRow(
        id=str(fields.pop("report_id")),
        reporter_id=None if reporter_id is None else str(reporter_id),
        target_id=str(fields.pop("target_id")),
        **fields,
    )
