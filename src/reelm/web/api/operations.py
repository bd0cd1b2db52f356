"""Is it up, what does it count, and what is the API: for programs."""

import asyncio
from typing import Any

import msgspec
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from reelm import __version__, moderation
from reelm.feed.live import LiveFeed
from reelm.foundation.database import Session
from reelm.foundation.errors import Unavailable
from reelm.foundation.jobs.listing import count_jobs
from reelm.foundation.parts import Parts
from reelm.regions import orders
from reelm.regions.egress import refusal_counts
from reelm.web import metrics

# Whoever watches over the service waits 5 s or less as a rule, and means to be told, not to wait.
HEALTH_S = 2.0


class Health(msgspec.Struct, frozen=True):
    """The service answers and so does its database."""

    status: str
    version: str


async def healthz(parts: Parts, request: Request) -> Health:
    """Say whether the service can answer requests, soon even where the database hangs."""
    loop = asyncio.get_running_loop()
    asked = loop.run_in_executor(request.app.state.health_executor, _ask_database, parts)
    try:
        await asyncio.wait_for(asked, HEALTH_S)
    except TimeoutError:
        sentence = f"The database has not answered within {HEALTH_S:.0f} seconds."
        raise Unavailable(sentence) from None
    return Health("ok", __version__)


def _ask_database(parts: Parts) -> None:
    with parts.transaction() as session:
        session.execute(text("SELECT 1"))


def metrics_text(session: Session, live: LiveFeed, parts: Parts) -> Response:
    """Return the metrics in Prometheus' text form."""
    for name, figure in live.figures().items():
        metrics.FEED.labels(name).set(figure)
    counts = msgspec.structs.asdict(count_jobs(session))
    for state, number in counts.items():
        metrics.JOBS.labels(state).set(number)
    metrics.refused(refusal_counts(parts.home.path))
    waiting = moderation.waiting(session)
    metrics.GRIEVANCES.labels("open").set(waiting.open)
    metrics.GRIEVANCES.labels("acknowledged").set(waiting.acknowledged)
    metrics.GRIEVANCES_DUE.labels("open").set(waiting.acknowledgements_overdue)
    metrics.GRIEVANCES_DUE.labels("acknowledged").set(waiting.resolutions_overdue)
    due = orders.waiting_orders(session)
    metrics.ORDERS.labels("entered").set(due.entered)
    metrics.ORDERS.labels("in_force").set(due.in_force)
    metrics.ORDERS_DUE.labels("entered").set(due.entered_overdue)
    metrics.ORDERS_DUE.labels("in_force").set(due.in_force_overdue)
    return metrics.exposition()


def openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document."""
    document: dict[str, Any] = request.app.state.openapi
    return Response(msgspec.json.encode(document), media_type="application/json")
