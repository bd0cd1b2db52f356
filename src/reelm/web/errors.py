"""Errors on the wire: which status each kind has, and the RFC 9457 problem body."""

from datetime import datetime
from http import HTTPStatus

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from reelm.foundation.errors import Frozen, LegallyWithheld, RateLimited, ReelmError, Unavailable
from reelm.regions import Withheld

# The one table. Kinds are those of foundation/errors.py.
STATUS = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "missing": 404,
    "conflict": 409,
    "gone": 410,
    "too_large": 413,
    "rate_limited": 429,
    "legally_withheld": 451,
    "internal": 500,
    "bad_setting": 503,
    "unavailable": 503,
}

# Their sentences name files and settings; they go to the log, and this to whoever asked.
OF_THE_OPERATOR = frozenset({"internal", "bad_setting"})
INSIDE = "Something is not right inside; it has been written to the log."

# A database that was killed was back within a second of kill -9 under `reelm serve`.
UNAVAILABLE_RETRY_AFTER_S = 2
# A freeze takes minutes (docs/benchmarks.md), and then another operator answers.
FROZEN_RETRY_AFTER_S = 300


class WithheldBy(msgspec.Struct, frozen=True, kw_only=True):
    """An order that withholds something; texts are empty where it may not be told of."""

    id: str
    authority: str
    reference: str
    basis: str
    objections: str
    since: datetime
    countries: list[str] | None
    is_confidential: bool
    is_interim: bool
    lapses_at: datetime | None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem detail (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    withheld_by: list[WithheldBy] | msgspec.UnsetType = msgspec.UNSET


def problem_of(error: ReelmError) -> Problem:
    """Return the problem body of an error."""
    status = STATUS[error.kind]
    return Problem(
        type=f"/api#{error.kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=INSIDE if error.kind in OF_THE_OPERATOR else error.sentence,
        withheld_by=msgspec.UNSET if not isinstance(error, LegallyWithheld) else _orders(error),
    )


def _orders(error: LegallyWithheld) -> list[WithheldBy]:
    return [
        WithheldBy(
            id=str(one.source_id),
            authority=one.authority,
            reference=one.reference,
            basis=one.basis,
            objections=one.objections,
            since=one.since,
            countries=None if one.countries is None else list(one.countries),
            is_confidential=one.is_confidential,
            is_interim=one.is_interim,
            lapses_at=one.lapses_at,
        )
        for one in error.by
        if isinstance(one, Withheld)
    ]


def problem_response(problem: Problem, error: ReelmError | None = None) -> Response:
    """Return the JSON response of a problem."""
    response = Response(
        msgspec.json.encode(problem), problem.status, media_type="application/problem+json"
    )
    response.headers["cache-control"] = "no-store"
    add_headers(response, error)
    return response


def add_headers(response: Response, error: ReelmError | None) -> None:
    """Say when to come back after an error that passes, and who carries out an order."""
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(error.retry_after_s)
    elif isinstance(error, Frozen):
        response.headers["retry-after"] = str(FROZEN_RETRY_AFTER_S)
    elif isinstance(error, Unavailable):
        response.headers["retry-after"] = str(UNAVAILABLE_RETRY_AFTER_S)
    elif isinstance(error, LegallyWithheld):
        # RFC 7725, section 4: the page of the entity that blocks, which is not who ordered it.
        response.headers["link"] = '</region>; rel="blocked-by"'


def http_problem(status: int, detail: str) -> Problem:
    """Return the problem of a status that no domain error stands for, such as 405."""
    return Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail
    )


def wants_html(request: HTTPConnection) -> bool:
    """Whether a person's browser asks, outside the API."""
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(
        ("/api/", "/media/")
    )
