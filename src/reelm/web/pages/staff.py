"""Pages of the staff: jobs and reports."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api import jobs as jobs_api
from reelm.web.api import reports as reports_api
from reelm.web.pages.reporting import address_of
from reelm.web.rendering import page
from reelm.web.viewer import Viewer


def jobs(request: Request, session: Session, viewer: Viewer) -> Response:
    """Show what is queued, running and failed."""
    found = jobs_api.jobs(session)
    return page(request, viewer, "jobs.html", jobs=found.jobs, counts=found.counts)


def reports(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,18})$")] = "0",
) -> Response:
    """Show what people reported; the reading is logged."""
    found = reports_api.list_reports(session, parts, viewer, cursor=cursor)
    rows = [
        {**msgspec.to_builtins(row), "target_url": _target_url(session, row)}
        for row in found.reports
    ]
    return page(request, viewer, "staff_reports.html", reports=rows, cursor=found.cursor)


def _target_url(session: Session, row: reports_api.ReportRow) -> str | None:
    if not row.target_exists:
        return None
    return address_of(session, row.target_kind, int(row.target_id))
