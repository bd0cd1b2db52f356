"""Staff read and close reports; each reading of sealed text is logged with its purpose."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.accounts import Power, data_key, require
from reelm.accounts.models import Account
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Missing
from reelm.foundation.parts import Parts
from reelm.moderation.models import Report
from reelm.social.models import Comment
from reelm.videos.models import Video

PAGE = 50
Outcome = Literal["acted", "dismissed"]
_TARGETS = {"video": Video.id, "comment": Comment.id, "account": Account.id}


class OpenedReport(msgspec.Struct, frozen=True):
    """A report with its text opened."""

    report_id: int
    reporter_id: int | None
    target_kind: str
    target_id: int
    target_exists: bool
    reason: str
    detail: str
    contact: str
    state: str
    created_at: datetime


def read_reports(
    session: Session,
    parts: Parts,
    *,
    reader_id: int,
    role: str | None,
    purpose: audit.Purpose,
    state: str = "open",
    after_id: int = 0,
) -> list[OpenedReport]:
    """Return reports of one state, the oldest first, and log that they were read.

    Raises:
        Forbidden: the role does not handle reports.
    """
    require(role, Power.HANDLE_GRIEVANCES)
    rows = session.scalars(
        select(Report)
        .where(Report.state == state, Report.id > after_id)
        .order_by(Report.id)
        .limit(PAGE)
    ).all()
    if rows:
        audit.record(
            session,
            "moderation.reports_read",
            reader_id=str(reader_id),
            purpose=purpose,
            first_report_id=str(rows[0].id),
            last_report_id=str(rows[-1].id),
            count=len(rows),
        )
    there = _existing(session, rows)
    return [_opened(session, parts, row, (row.target_kind, row.target_id) in there) for row in rows]


def close_report(
    session: Session, report_id: int, *, closer_id: int, role: str | None, outcome: Outcome
) -> datetime:
    """Close a report, log what came of it, and return when.

    Raises:
        Forbidden: the role does not handle reports.
        Missing: there is no such report.
        Conflict: it is closed already.
    """
    require(role, Power.HANDLE_GRIEVANCES)
    report = session.get(Report, report_id, with_for_update=True)
    if report is None:
        raise Missing("There is no such report.")
    if report.state == "closed":
        raise Conflict("This report is closed already.")
    report.state = "closed"
    session.flush()
    audit.record(
        session,
        "moderation.report_closed",
        report_id=str(report_id),
        closer_id=str(closer_id),
        outcome=outcome,
    )
    return now()


def _existing(session: Session, rows: Sequence[Report]) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for kind, column in _TARGETS.items():
        asked = {row.target_id for row in rows if row.target_kind == kind}
        if asked:
            ids = session.scalars(select(column).where(column.in_(asked)))
            found |= {(kind, target_id) for target_id in ids}
    return found


def _opened(session: Session, parts: Parts, row: Report, target_exists: bool) -> OpenedReport:
    key = data_key(session, parts, row.id)
    return OpenedReport(
        report_id=row.id,
        reporter_id=row.reporter_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        target_exists=target_exists,
        reason=row.reason,
        detail=key.open(Report.detail, row.detail),
        # Empty, not sealed: the reporter's account was erased, and the contact with it.
        contact=key.open(Report.contact, row.contact) if row.contact else "",
        state=row.state,
        created_at=row.created_at,
    )
