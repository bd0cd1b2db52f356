"""What the old address answers once the region has gone to another operator.

Everything comes from the two documents in the home (transfer/departed.py): no database, store or
key is opened, no cookie is set or read, and nobody is sent on without having read who is there now.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reelm import __version__
from reelm.foundation.config import Settings
from reelm.foundation.errors import Invalid
from reelm.foundation.home import Home
from reelm.transfer.departed import CUTOVER, SCOPE, Departure, document_paths, read_departure
from reelm.web import static
from reelm.web.early_answer import EarlyAnswers
from reelm.web.errors import wants_html
from reelm.web.rendering import part
from reelm.web.security import response_headers

# The buyer's signature is a command away, by people of two companies.
RETRY_AFTER_S = 60
# Of a longer path only the front page is named: nothing of ours has one.
MOST_PATH = 500
FOLDER = "/transfer/"
DOCUMENTS = {SCOPE: "application/json", CUTOVER: "application/vnd.dsse.envelope.v1+json"}
READING = frozenset({"GET", "HEAD"})


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A problem detail (RFC 9457) with who runs the region now, and where the same thing is."""

    type: str
    title: str
    status: int
    detail: str
    operator: str
    since: str
    moved_to: str | None
    documents: Mapping[str, str]


def build(home: Home, settings: Settings) -> ASGIApp:
    """Return the application that answers for a region that has gone.

    Raises:
        Invalid: the documents in the home are damaged.
    """
    return EarlyAnswers(_Notice(home, settings.region.name))


def address_of(departure: Departure, path: str = "/") -> str | None:
    """Return the same path at the new operator's; None where it has named no address.

    The address is as the seller signed it; of the request only the path is taken over, escaped.
    """
    signed = urlsplit(departure.cutover.address)
    if not signed.netloc:
        return None
    base = urlunsplit((signed.scheme, signed.netloc, signed.path.rstrip("/"), "", ""))
    kept = path if path.startswith("/") and len(path) <= MOST_PATH else "/"
    return quote(base, safe=":/[]@!$&()*+,;=%~") + quote(kept, safe="/@:")


class _Notice:
    def __init__(self, home: Home, name: str) -> None:
        self._home, self._name = home, name
        self._headers = response_headers(static.import_map())
        self._seen = _state(home)
        self._departure = read_departure(home)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
        elif scope["type"] == "http":
            response = self._answer(Request(scope, receive))
            for name, value in self._headers.items():
                response.headers.setdefault(name, value)
            await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        departure = self._current()
        path = request.url.path
        if request.method in READING:
            if path.startswith("/assets/"):
                return _asset(path, request.headers)
            if path == "/healthz":
                told = msgspec.json.encode({"status": "departed", "version": __version__})
                return _fresh(Response(told, media_type="application/json"))
            if path == "/transfer" and wants_html(request):
                return self._page(departure, path, HTTPStatus.OK)
            if path.removeprefix(FOLDER) in DOCUMENTS and path.startswith(FOLDER):
                return self._document(path.removeprefix(FOLDER))
        return self._moved(departure, request)

    def _current(self) -> Departure:
        """Return where the region went, read anew once the documents have changed."""
        seen = _state(self._home)
        if seen != self._seen:
            self._seen = seen
            with suppress(Invalid):  # between two writes, or damaged: the last one still holds
                self._departure = read_departure(self._home)
        return self._departure

    def _moved(self, departure: Departure, request: Request) -> Response:
        status = HTTPStatus.GONE if departure.is_done else HTTPStatus.SERVICE_UNAVAILABLE
        path = request.url.path
        if wants_html(request):
            response = self._page(departure, path, status)
        else:
            told = self._told(departure, path, status)
            response = _fresh(
                Response(msgspec.json.encode(told), status, media_type="application/problem+json")
            )
        there = address_of(departure, path)
        if not departure.is_done:
            response.headers["retry-after"] = str(RETRY_AFTER_S)
        elif there is not None:
            response.headers["link"] = f'<{there}>; rel="successor-version"'  # RFC 5829
        return response

    def _told(self, departure: Departure, path: str, status: HTTPStatus) -> Moved:
        cutover, seller = departure.cutover, departure.scope.seller.operator
        detail = (
            f"{cutover.operator} runs this service since {cutover.ended_at}, in place of {seller}."
            if departure.is_done
            else f"This service is being handed over to {cutover.operator}; try again later."
        )
        return Moved(
            type="about:blank",
            title=status.phrase,
            status=status,
            detail=detail,
            operator=cutover.operator,
            since=cutover.ended_at,
            moved_to=address_of(departure, path) if departure.is_done else None,
            documents={"scope": FOLDER + SCOPE, "cutover": FOLDER + CUTOVER},
        )

    def _page(self, departure: Departure, path: str, status: HTTPStatus) -> Response:
        cutover, scope = departure.cutover, departure.scope
        files = zip((SCOPE, CUTOVER), document_paths(self._home), strict=True)
        html = part(
            "departed.html",
            asset=static.url,
            region=self._name,
            is_done=departure.is_done,
            seller=scope.seller.operator,
            buyer=cutover.operator,
            country=scope.buyer.country,
            buyer_key=cutover.buyer_key,
            since=cutover.ended_at,
            transfer_id=cutover.transfer_id,
            address=cutover.address,
            here=path if path not in {"/", "/transfer"} and len(path) <= MOST_PATH else "",
            at=partial(address_of, departure),
            documents=[
                (FOLDER + name, hashlib.sha256(file.read_bytes()).hexdigest())
                for name, file in files
            ],
        )
        return _fresh(Response(html, status, media_type="text/html"))

    def _document(self, name: str) -> Response:
        paths = dict(zip((SCOPE, CUTOVER), document_paths(self._home), strict=True))
        data = paths[name].read_bytes()
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return _fresh(Response(data, headers=headers, media_type=DOCUMENTS[name]))


def _asset(path: str, headers: Headers) -> Response:
    digest, _, name = path.removeprefix("/assets/").partition("/")
    return static.respond(digest, name, headers.get("accept-encoding", ""))


def _fresh(response: Response) -> Response:
    response.headers["cache-control"] = "no-store"
    return response


def _state(home: Home) -> tuple[int, int]:
    """Return what changes when the cutover is written anew; nought while it is not there."""
    try:
        state = document_paths(home)[1].stat()
    except OSError:
        return 0, 0
    return state.st_ino, state.st_mtime_ns
