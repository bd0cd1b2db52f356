"""Pages of the staff: jobs and reports."""

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api import jobs as jobs_api
from reelm.web.api import reports as reports_api
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
    cursor: Annotated[str, Meta(max_length=64)] | None = None,
) -> Response:
    """Show what people reported."""
    found = reports_api.staff_reports(session, parts, viewer, cursor=cursor)
    return page(
        request, viewer, "staff_reports.html", reports=found.reports, cursor=found.cursor
    )
