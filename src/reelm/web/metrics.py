"""Counters and latencies, in Prometheus' text form at /metrics."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

from reelm import __version__

REGISTRY = CollectorRegistry()
# Labels are route templates and numbers: no id, handle or address ever becomes a label.
REQUESTS = Counter(
    "reelm_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "reelm_http_request_seconds",
    "Seconds until the answer was ready.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
    registry=REGISTRY,
)
MEDIA_BYTES = Counter("reelm_media_bytes", "Bytes of media served.", registry=REGISTRY)
JOBS = Gauge("reelm_jobs", "Jobs by state.", ["state"], registry=REGISTRY)
FEED = Gauge("reelm_feed", "The feed that learns, in this process.", ["figure"], registry=REGISTRY)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
INFO = Gauge("reelm_info", "Release that runs.", ["version"], registry=REGISTRY)
INFO.labels(__version__).set(1)


@cache
def _counter(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, status)


@cache
def _histogram(route: str) -> Histogram:
    return SECONDS.labels(route)


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer; to find the series takes longer than to count, so they are kept."""
    _counter(method if method in METHODS else "other", route, status).inc()
    _histogram(route).observe(seconds)


def exposition() -> Response:
    """Return all metrics."""
    return Response(
        generate_latest(REGISTRY), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
