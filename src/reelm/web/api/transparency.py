"""The transparency report, as JSON and for spreadsheets."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from reelm import regions
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, Missing
from reelm.foundation.parts import Parts
from reelm.transparency import (
    Period,
    PublishedReport,
    csv_text,
    periods,
    read_period,
)
from reelm.web.counted import CountedLog

PeriodName = Annotated[
    str,
    Meta(
        max_length=16,
        description="A month in UTC, such as 2026-11, or up to twelve: 2026-01--2026-12.",
    ),
]


class ListedPeriod(msgspec.Struct, frozen=True):
    """A period of which there is a report, and whether it changes no more."""

    period: str
    is_finished: bool


class PeriodList(msgspec.Struct, frozen=True):
    """Months, the newest first, and the periods that the policy pack asks for."""

    months: list[ListedPeriod]
    asked_for: list[ListedPeriod]
    every_months: int | None


def list_periods(request: Request, session: Session, parts: Parts) -> PeriodList:
    """List the periods of which there is a transparency report."""
    pack = regions.load_pack(parts.settings.region.jurisdiction)
    every = pack.transparency_report_every_months.value
    counted_months = counted(request).months(session)
    if counted_months is None:
        return PeriodList([], [], every)
    first, last = counted_months
    longer = periods(first, last, every) if every is not None and every > 1 else ()
    return PeriodList(
        [ListedPeriod(one.name, one.last < last) for one in periods(first, last)],
        [ListedPeriod(one.name, one.last < last) for one in longer],
        every,
    )


def read_report(request: Request, session: Session, period: PeriodName) -> PublishedReport:
    """Read the transparency report of a month or several, computed from the audit log alone."""
    return counted(request).publish(session, _period(period))


def read_sheet(request: Request, session: Session, period: PeriodName) -> Response:
    """Read the same report as CSV, a number a line."""
    published = counted(request).publish(session, _period(period))
    name = f"transparency-{published.report.period}.csv"
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{name}"',
    }
    return Response(csv_text(published.report), headers=headers, media_type="text/csv")


def counted(request: Request) -> CountedLog:
    """Return the log as this process has counted it."""
    log: CountedLog = request.app.state.counted_log
    return log


def _period(name: str) -> Period:
    try:
        return read_period(name)
    except Invalid as error:
        # It is an address, and there is nothing at others.
        raise Missing(error.sentence) from None
