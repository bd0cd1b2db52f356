"""The ASGI application: media first, then the routes, with headers, metrics and errors around."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reelm.feed import Offers
from reelm.feed.live import LiveFeed
from reelm.foundation.errors import ReelmError
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts
from reelm.web import metrics, static
from reelm.web.counted import CountedLog
from reelm.web.early_answer import EarlyAnswers
from reelm.web.endpoint import Endpoint, Together, answer
from reelm.web.errors import (
    Problem,
    add_headers,
    http_problem,
    problem_of,
    problem_response,
    wants_html,
)
from reelm.web.gathering import Gathering
from reelm.web.media import Media
from reelm.web.openapi import document
from reelm.web.rendering import error_page, part
from reelm.web.routes import ENDPOINTS, RAW_ROUTES
from reelm.web.security import check_same_site, response_headers
from reelm.web.viewer import country_at
from reelm.web.withholding import Changes, Hearer, ServiceBlock, refuse_service

log = logging.getLogger(__name__)
AWAY = Line("{method} {route}: {error}")
FAILED = Line("{method} {route} failed")
# For legal orders and the staff: however many read at once, these do not wait behind them.
URGENT_THREADS = 4
ASSETS = "/assets/{digest}/{name:path}"


def build(parts: Parts) -> ASGIApp:
    """Return the application of an open region; its lifespan starts and ends what it needs."""
    changes = Changes(parts)
    block = ServiceBlock(parts, changes)
    media = Media(parts, changes, block)
    starlette = Starlette(
        routes=[
            Route(ASSETS, _asset),
            *(_route(parts, endpoint) for endpoint in ENDPOINTS),
            *(
                Route(path, _raw(parts, handler), methods=list(methods))
                for path, methods, handler in RAW_ROUTES
            ),
        ],
        exception_handlers={
            ReelmError: _on_error,
            HTTPException: _on_http_error,
            Exception: _on_crash,
        },
    )
    # A redirect would name the host as this process sees it, behind a proxy the wrong one.
    starlette.router.redirect_slashes = False
    starlette.state.parts = parts
    starlette.state.live = LiveFeed(parts)
    starlette.state.counted_log = CountedLog()
    starlette.state.offers = offers = Offers(lambda: changes.connected)
    changes.tell(Hearer(offers.on_change, offers.forget))
    starlette.state.openapi = _openapi()
    starlette.state.described_api = _described_api
    starlette.state.gatherings = {
        endpoint.path: _gathering(parts, starlette.state.live, endpoint.together)
        for endpoint in ENDPOINTS
        if endpoint.together is not None
    }
    # One thread: however many ask at once whether it is up, they take one connection.
    starlette.state.health_executor = ThreadPoolExecutor(1, "health")
    starlette.state.executor = ThreadPoolExecutor(parts.settings.http.threads, "request")
    starlette.state.urgent_executor = ThreadPoolExecutor(URGENT_THREADS, "urgent")
    return EarlyAnswers(_Outermost(starlette, media, changes, block))


def _gathering(parts: Parts, live: LiveFeed, together: Together) -> Gathering:
    return Gathering("together", partial(together.answer_all, parts, live))


class _Outermost:
    """Sends media past everything else, and wraps the rest in headers and metrics."""

    def __init__(
        self, starlette: Starlette, media: Media, changes: Changes, block: ServiceBlock
    ) -> None:
        self.starlette, self.media = starlette, media
        self.changes, self.block = changes, block
        headers = response_headers(static.import_map())
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        # What is asked for most does without the search for a route.
        self.gathered = {(one.method, one.path): one for one in ENDPOINTS if one.together}
        # What answers while the service is withheld; only then is it looked through.
        parts: Parts = starlette.state.parts
        stay = (_route(parts, endpoint) for endpoint in ENDPOINTS if endpoint.stays_open)
        self.open = [Route(ASSETS, _asset), *stay]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            if scope["path"].startswith(("/media/", "/avatars/")):
                await self.media(scope, receive, send)
            else:
                await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        live: LiveFeed = self.starlette.state.live
        loop = asyncio.get_running_loop()
        self.changes.start()
        for gathering in self.starlette.state.gatherings.values():
            gathering.start()
        await loop.run_in_executor(None, live.start)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.changes.stop()
        await loop.run_in_executor(None, self.media.stop)
        for gathering in self.starlette.state.gatherings.values():
            gathering.stop()
        await loop.run_in_executor(None, live.stop)
        state = self.starlette.state
        for executor in (state.executor, state.urgent_executor, state.health_executor):
            executor.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = 500
        scope["app"] = self.starlette  # which pages of errors ask, also before there is a route

        async def send_with_headers(message: Message) -> None:
            """Send on what the answer says, with the headers that each carries."""
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                given = {name for name, _ in headers}
                headers += [header for header in self.headers if header[0] not in given]
            await send(message)

        gathered = self.gathered.get((scope["method"], scope["path"]))
        try:
            check_same_site(scope["method"], Headers(scope=scope))
            await self._refuse_where_withheld(scope)
        except ReelmError as error:
            response = await _on_error(Request(scope, receive), error)
            await response(scope, receive, send_with_headers)
        else:
            if gathered is None:
                await self.starlette(scope, receive, send_with_headers)
            else:
                await self._answer(gathered, scope, receive, send_with_headers)
        route = scope.get("route", gathered)
        name = route.path if isinstance(route, Route | Endpoint) else "other"
        metrics.answered(scope["method"], name, status, time.perf_counter() - began)

    async def _refuse_where_withheld(self, scope: Scope) -> None:
        by = self.block.from_memory()
        if by is None:
            by = await asyncio.to_thread(self.block.load)
        if by and not any(route.matches(scope)[0] is Match.FULL for route in self.open):
            refuse_service(by, country_at(self.starlette.state.parts, HTTPConnection(scope)))

    async def _answer(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await answer(endpoint, self.starlette.state.parts, request)
        except ReelmError as error:
            response = await _on_error(request, error)
        except Exception as error:  # noqa: BLE001 - as Starlette does around its routes
            response = await _on_crash(request, error)
        await response(scope, receive, send)


async def _asset(request: Request) -> Response:
    accepted = request.headers.get("accept-encoding", "")
    return static.respond(request.path_params["digest"], request.path_params["name"], accepted)


@cache
def _openapi() -> dict[str, Any]:
    return document(ENDPOINTS)


@cache
def _described_api() -> str:
    # It took a tenth of a second and more of each request, and is the same for all.
    return part("parts/api_described.html", openapi=_openapi())


def _route(parts: Parts, endpoint: Endpoint) -> Route:
    async def handle(request: Request) -> Response:
        """Answer by the endpoint's function."""
        return await answer(endpoint, parts, request)

    return Route(endpoint.path, handle, methods=[endpoint.method], name=endpoint.run.__name__)


def _raw(
    parts: Parts, handler: Callable[[Parts, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        """Answer by the handler."""
        return await handler(parts, request)

    return handle


async def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ReelmError):
        raise error
    problem = problem_of(error)
    if problem.status >= 500:
        log.warning(AWAY(method=request.method, route=_route_name(request), error=error))
    return _shown(request, problem, error)


def _route_name(request: Request) -> str:
    route = request.scope.get("route")
    return route.path if isinstance(route, Route) else "other"


async def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail = {
        404: "There is nothing at this address.",
        405: f"This address does not take {request.method}.",
    }.get(error.status_code, error.detail)
    response = _shown(request, http_problem(error.status_code, detail))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = ", ".join(_methods_at(request))
    return response


def _methods_at(request: Request) -> list[str]:
    # One address has a route for each method; Starlette names only the first one's.
    here = [r for r in request.app.routes if r.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in here for method in route.methods or ()})


async def _on_crash(request: Request, error: Exception) -> Response:
    log.error(FAILED(method=request.method, route=_route_name(request)), exc_info=error)
    sentence = "Something went wrong inside; it has been written to the log."
    return _shown(request, http_problem(500, sentence))


def _shown(request: Request, problem: Problem, error: ReelmError | None = None) -> Response:
    if wants_html(request):
        response = error_page(request, problem)
        add_headers(response, error)
        return response
    return problem_response(problem, error)
