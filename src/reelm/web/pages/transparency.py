"""The transparency report for people: the months, and each with its charts and tables."""

from starlette.requests import Request
from starlette.responses import Response

from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.transparency import SECTIONS
from reelm.web.api.transparency import PeriodName, list_periods, read_report
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

# Months in the chart over time.
CHARTED = 12
# section and figure of the lines of that chart
OVER_TIME = (("orders", "begun"), ("decisions", "made"), ("grievances", "received"))


def months(request: Request, session: Session, parts: Parts, viewer: Viewer) -> Response:
    """List the months, with a chart of what the newest came to."""
    listed = list_periods(request, session, parts)
    newest = [one.period for one in listed.months[:CHARTED]]
    reports = [read_report(request, session, name) for name in reversed(newest)]
    rows = [
        {
            "period": one.report.period,
            "figures": [one.report.sections[name].figures[figure] for name, figure in OVER_TIME],
        }
        for one in reports
    ]
    titles = [SECTIONS[name].title for name, _ in OVER_TIME]
    return page(
        request,
        viewer,
        "transparency.html",
        listed=listed,
        rows=rows,
        titles=titles,
        published=None,
    )


def report(request: Request, session: Session, viewer: Viewer, period: PeriodName) -> Response:
    """Show the report of a period."""
    published = read_report(request, session, period)
    words = {
        name: {"title": one.title, "figures": dict(one.figures)}
        | {"by": dict(one.by), "times": dict(one.times)}
        for name, one in SECTIONS.items()
    }
    return page(request, viewer, "transparency_report.html", published=published, words=words)
