"""Turn a plain typed function into a route: decode, run in a thread, one transaction, encode.

What a parameter gets is told by its annotation: `Session`, `Parts`, `Viewer`, `Cookies`,
`LiveFeed`, `Outbox`, `Request` and, for staff who read people's data, `Reader` are injected, `body`
is the JSON body, a name in the path comes from the path, and any other is a query parameter with
the bounds of its `Annotated[..., Meta()]`.
An `async` function is run on the loop, without a transaction, and gets `Parts` and `Request`.
Signals put into the outbox are written after the commit and before the response.

An endpoint that is asked for most says besides how requests are answered together that wait at
the same time (gathering.py); what cannot be answered so is answered alone.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reelm import moderation, transfer
from reelm.accounts import Power, Reader
from reelm.feed.live import LiveFeed, Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import (
    Frozen,
    Invalid,
    Missing,
    RateLimited,
    ReelmError,
    Unauthenticated,
    Unavailable,
)
from reelm.foundation.expected import sentence_of
from reelm.foundation.ids import MAX_ID
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts
from reelm.web.bodies import form_body, json_body, read_body
from reelm.web.gathering import Gathering
from reelm.web.news import as_notice
from reelm.web.staff_gate import check_staff, elsewhere, reader_of, without_purpose
from reelm.web.viewer import Answered, Call, Cookies, Viewer, call_of, viewer_key, viewer_of

log = logging.getLogger(__name__)
NOT_WRITTEN = Line("{count} signals were not written: {error}")

MAX_BODY_BYTES = 256 * 1024

Id = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,18}$", description="A 63-bit id.")]


class Access(StrEnum):
    """Who may call an endpoint."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    STAFF = "staff"


ANYONE, SIGNED_IN, STAFF = Access.ANYONE, Access.SIGNED_IN, Access.STAFF


@dataclass(frozen=True)
class Together:
    """How requests of one endpoint are answered together.

    Args:
        answer_all: answers calls; None where the endpoint's own function has to answer alone.
        takes: whether a request with these arguments is one for `answer_all`.
    """

    answer_all: Callable[[Parts, LiveFeed, Sequence[Call]], Sequence[Answered | ReelmError | None]]
    takes: Callable[[Mapping[str, object]], bool] = lambda _: True


@dataclass(frozen=True)
class Endpoint:
    """One URL and method, the function that answers, and what OpenAPI says of it.

    Args:
        method: HTTP method.
        path: URL with `{names}`.
        run: the function.
        access: who may call it.
        power: which of the staff may, by accounts/powers.py; each staff endpoint names one.
        status: status of success; 204 where the function returns None.
        errors: kinds of error that the function may raise beside the general ones.
        max_body_bytes: most bytes of a body.
        accepts: media types of a raw body that is given to a parameter `body: bytes`.
        produces: media type of a response that is not JSON.
        together: how requests are answered together that wait at the same time.
        is_for_reading: whether people open the JSON itself, so that it has lines and indents.
        stays_open: whether it answers also while the whole service is withheld.
        is_urgent: whether it does not wait for a thread behind everybody else; as of all the staff.
    """

    method: str
    path: str
    run: Callable[..., Any]
    access: Access = ANYONE
    power: Power | None = None
    status: int = 200
    errors: tuple[type[ReelmError], ...] = ()
    max_body_bytes: int = MAX_BODY_BYTES
    accepts: tuple[str, ...] = ("application/json",)
    produces: str = "application/json"
    together: Together | None = None
    is_for_reading: bool = False
    stays_open: bool = False
    is_urgent: bool = False
    inputs: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.run, include_extras=True)
        signature = inspect.signature(self.run)
        for name, parameter in signature.parameters.items():
            self.inputs[name] = (hints[name], parameter.default)
        if (self.access is STAFF) != (self.power is not None):
            raise TypeError(f"{self.path}: an endpoint of the staff names one power, no other any")

    @property
    def returns(self) -> Any:
        """The annotated type of the result."""
        return get_type_hints(self.run, include_extras=True).get("return")

    @property
    def body(self) -> Any:
        """The type of the body, or None."""
        return self.inputs["body"][0] if "body" in self.inputs else None

    def in_path(self, name: str) -> bool:
        """Whether parameter `name` is part of the path."""
        return f"{{{name}}}" in self.path

    def query(self) -> dict[str, tuple[Any, Any]]:
        """Return name -> (type, default) of the query parameters."""
        return {
            name: (hint, default)
            for name, (hint, default) in self.inputs.items()
            if hint not in INJECTED and name not in {"body", "form"} and not self.in_path(name)
        }


def staying_open(*endpoints: Endpoint) -> tuple[Endpoint, ...]:
    """Return the endpoints as those that answer also while the whole service is withheld."""
    return tuple(replace(endpoint, stays_open=True) for endpoint in endpoints)


INJECTED: tuple[Any, ...] = (
    Session, Parts, Viewer, Cookies, LiveFeed, Outbox, Request, Reader
)  # fmt: skip


async def answer(endpoint: Endpoint, parts: Parts, request: Request) -> Response:
    """Answer one request; the verb runs in a thread, inside one transaction.

    Raises:
        ReelmError: which the application turns into a problem response.
    """
    data = b""
    if "body" in endpoint.inputs or "form" in endpoint.inputs:
        data = await read_body(request, endpoint.max_body_bytes)
    if endpoint.together is not None:
        arguments = _from_request(endpoint, request, data)
        if endpoint.together.takes(arguments):
            response = await _answer_together(endpoint, parts, request, arguments)
            if response is not None:
                return response
    if inspect.iscoroutinefunction(endpoint.run):
        return _encoded(endpoint, await endpoint.run(parts=parts, request=request))
    loop = asyncio.get_running_loop()
    state = request.app.state
    is_urgent = endpoint.is_urgent or endpoint.access is STAFF
    executor = state.urgent_executor if is_urgent else state.executor
    return await loop.run_in_executor(executor, _run, endpoint, parts, request, data)


async def _answer_together(
    endpoint: Endpoint, parts: Parts, request: Request, arguments: dict[str, Any]
) -> Response | None:
    gathering: Gathering = request.app.state.gatherings[endpoint.path]
    answered: Answered | None = await gathering.ask(call_of(parts, request.scope, arguments))
    if answered is None:
        return None
    response = Response(
        answered.body,
        endpoint.status if answered.body else 204,
        {"cache-control": "no-store"},
        "application/json" if answered.body else None,
    )
    if answered.new_id is not None:
        cookies = Cookies(is_secure=is_secure(request, parts.settings.http.public_url))
        cookies.remember_id(answered.new_id, viewer_key(parts.region_key))
        cookies.apply(response)
    return response


def _run(endpoint: Endpoint, parts: Parts, request: Request, data: bytes) -> Response:
    cookies = Cookies(is_secure=is_secure(request, parts.settings.http.public_url))
    is_staff = endpoint.power is not None
    arguments = {} if is_staff else _from_request(endpoint, request, data)
    live: LiveFeed = request.app.state.live
    outbox = Outbox()
    with parts.transaction() as session:
        viewer = viewer_of(session, parts, request)
        reads = any(hint is Reader for hint, _ in endpoint.inputs.values())
        if endpoint.power is not None and endpoint.produces == "text/html":
            form = form_body(data)
            away = elsewhere(
                session, parts, request, viewer, endpoint.power, reads=reads, form=form
            )
            if away is not None:
                return away
        _check_access(endpoint, viewer)
        if is_staff and viewer.role_until is not None:
            transfer.note_use(session, viewer.account_id)
        if is_staff:  # what it takes is said to those alone who may use it
            arguments = _from_request(endpoint, request, data)
        injected: dict[Any, Any] = {
            Session: session,
            Parts: parts,
            Viewer: viewer,
            Cookies: cookies,
            LiveFeed: live,
            Outbox: outbox,
            Request: request,
        }
        if reads:
            injected[Reader] = reader_of(session, viewer)
        if endpoint.produces == "text/html":
            _tell(session, viewer, request)
        for name, (hint, _) in endpoint.inputs.items():
            if hint in INJECTED:
                arguments[name] = injected[hint]
        result = endpoint.run(**arguments)
    _write(live, outbox, is_reading=endpoint.method == "GET")
    response = _encoded(endpoint, result)
    if viewer.is_new and endpoint.access is ANYONE:
        cookies.remember(viewer, viewer_key(parts.region_key))
    cookies.apply(response)
    return response


def _tell(session: Session, viewer: Viewer, request: Request) -> None:
    """Look up what every page shows: news of a sale, and how many notices are unread."""
    request.state.news = told = transfer.news(session)
    if viewer.account_id is not None:
        to_all = [] if told is None else [as_notice(told)]
        request.state.unread = moderation.unread(session, viewer.account_id, to_all)


def _write(live: LiveFeed, outbox: Outbox, *, is_reading: bool) -> None:
    try:
        live.observe(outbox.signals)
    except (Unavailable, RateLimited) as error:
        # The act itself is committed: a like does not fail because nobody learns from it. Nor does
        # a page because a freeze has just begun, in which nothing is noted of what was shown.
        if outbox.is_needed and not (is_reading and isinstance(error, Frozen)):
            raise
        log.warning(NOT_WRITTEN(count=len(outbox.signals), error=error))


def is_secure(request: Request, public_url: str) -> bool:
    """Whether cookies may carry `Secure`: on https, and on loopback, which browsers trust.

    Behind a proxy that ends TLS this process sees plain HTTP; `public_url` says what people use.
    """
    host = request.url.hostname or ""
    local = host == "localhost" or host.endswith(".localhost") or host.startswith("127.")
    return local or request.url.scheme == "https" or public_url.startswith("https://")


def _check_access(endpoint: Endpoint, viewer: Viewer) -> None:
    if endpoint.access is not ANYONE and viewer.account_id is None:
        raise Unauthenticated("Sign in first.")
    if endpoint.power is not None:
        check_staff(viewer, endpoint.power)


def _from_request(endpoint: Endpoint, request: Request, data: bytes) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, (hint, default) in endpoint.inputs.items():
        if hint in INJECTED:
            continue
        if name == "body":
            arguments[name] = data if hint is bytes else json_body(data, hint)
        elif name == "form":
            arguments[name] = without_purpose(form_body(data))
        elif endpoint.in_path(name):
            arguments[name] = _from_path(name, request.path_params[name], hint)
        elif name in request.query_params:
            arguments[name] = _converted(name, request.query_params[name], hint)
        elif default is inspect.Parameter.empty:
            raise Invalid(f"The query parameter {name} is required.")
    return arguments


def _from_path(name: str, text: str, hint: Any) -> Any:
    if hint is not int:
        return _converted(name, text, hint)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) <= MAX_ID):
        raise Missing("There is nothing at this address.")
    return int(text)


def _converted(name: str, text: str, hint: Any) -> Any:
    try:
        if "\x00" in text:
            raise Invalid(f"{name} holds a NUL character.")
        return msgspec.convert(text, hint, strict=False)
    except msgspec.ValidationError:
        raise Invalid(sentence_of(name, hint)) from None


def _encoded(endpoint: Endpoint, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    body = msgspec.json.encode(result)
    return Response(
        msgspec.json.format(body) if endpoint.is_for_reading else body,
        endpoint.status,
        {"cache-control": "no-store"},
        "application/json",
    )


def plain(hint: Any) -> Any:
    """Return a type without its `Annotated` wrapping."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
