"""Counters and latencies, in Prometheus' text form at /metrics."""

from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response

from reelm import __version__
from reelm.foundation.classes import (
    DataClass,
    Erasure,
    Place,
    Residency,
    Transfer,
    declare,
    refuse_undeclared,
)

# Labels are words of this program and route templates: no id, handle or address becomes a label.
_COUNTS = DataClass(
    Residency.REGION,
    Transfer.EXCLUDE,
    Erasure.EXPIRE,
    "Counts of this process, in memory; gone when it ends.",
)
for _name, _holds in {
    "method": "of a request",
    "route": "of a request, as the template that all like it share",
    "status": "of the answer",
    "state": "of jobs",
    "figure": "which number of the feed that learns",
    "version": "the release",
    "layer": "of what holds egress: a or b",
    "process": "web or worker",
    "le": "upper bound of a bucket of a histogram",
}.items():
    declare(Place.LABEL, _name, _holds, _COUNTS)


class _Registry(CollectorRegistry):
    """Refuses a metric with a label that nobody declared, when its module is loaded."""

    def register(self, collector: Collector) -> None:
        """Take in a metric.

        Raises:
            Unavailable: names the label and says what to do.
        """
        refuse_undeclared(Place.LABEL, *getattr(collector, "_labelnames", ()))
        super().register(collector)


REGISTRY = _Registry()
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
GRIEVANCES = Gauge(
    "reelm_grievances", "Grievances that wait, by what they wait for.", ["state"], registry=REGISTRY
)
GRIEVANCES_DUE = Gauge(
    "reelm_grievances_overdue", "Grievances past their deadline.", ["state"], registry=REGISTRY
)
ORDERS = Gauge(
    "reelm_orders",
    "Legal orders that wait: entered for a second officer, in force to be complied with; "
    "confidential ones are not counted.",
    ["state"],
    registry=REGISTRY,
)
ORDERS_DUE = Gauge(
    "reelm_orders_overdue", "Such orders past their deadline.", ["state"], registry=REGISTRY
)
FEED = Gauge("reelm_feed", "The feed that learns, in this process.", ["figure"], registry=REGISTRY)
REFUSALS = Counter(
    "reelm_egress_refusals",
    "Attempts to talk to another host that were refused, on this machine.",
    ["layer", "process"],
    registry=REGISTRY,
)
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


def refused(totals: Mapping[tuple[str, str], int]) -> None:
    """Show how much was refused, by layer and process; it is counted across processes."""
    for key, total in totals.items():
        REFUSALS.labels(*key).inc(max(0, total - _shown.get(key, 0)))
        _shown[key] = total


_shown: dict[tuple[str, str], int] = {}


def labels() -> set[str]:
    """Return the labels of every series there is now, those of collectors included."""
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples)
    return {label for sample in samples for label in sample.labels}


def exposition() -> Response:
    """Return all metrics."""
    return Response(
        generate_latest(REGISTRY), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
