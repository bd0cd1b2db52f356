"""Is it up, what does it count, and what is the API: for programs."""

from typing import Any

import msgspec
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from reelm import __version__
from reelm.feed.live import LiveFeed
from reelm.foundation.database import Session
from reelm.foundation.jobs.listing import count_jobs
from reelm.web import metrics


class Health(msgspec.Struct, frozen=True):
    """The service answers and so does its database."""

    status: str
    version: str


def healthz(session: Session) -> Health:
    """Say whether the service can answer requests."""
    session.execute(text("SELECT 1"))
    return Health("ok", __version__)


def metrics_text(session: Session, live: LiveFeed) -> Response:
    """Return the metrics in Prometheus' text form."""
    for name, figure in live.figures().items():
        metrics.FEED.labels(name).set(figure)
    counts = msgspec.structs.asdict(count_jobs(session))
    for state, number in counts.items():
        metrics.JOBS.labels(state).set(number)
    return metrics.exposition()


def openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document."""
    document: dict[str, Any] = request.app.state.openapi
    return Response(msgspec.json.encode(document), media_type="application/json")
