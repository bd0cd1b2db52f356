"""The cheapest client of the whole application: it keeps cookies, and talks ASGI in its loop."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

from anyio.from_thread import BlockingPortal
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from reelm.foundation.parts import Parts
from reelm.web.application import build

ORIGIN = "https://localhost"
COUNTRY = "x-country"
# So many are asked at once, as many people are.
AT_ONCE = 8


class Browser:
    """One browser; a request costs a fraction of that of the test client of Starlette."""

    def __init__(self, app: ASGIApp, portal: BlockingPortal) -> None:
        self.app, self.portal = app, portal
        self.cookies: dict[str, str] = {}

    def request(
        self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request, with JSON or bytes, and keep the cookies of the answer."""
        answer: Response = self.portal.call(self._answer, method, address, body, headers or {})
        for line in answer.headers.get_list("set-cookie"):
            for name, cookie in SimpleCookie(line).items():
                self.cookies[name] = cookie.value
        return answer

    def get_all(self, addresses: Sequence[str]) -> list[Response]:
        """Get several addresses, some at once; what they set is not kept."""

        async def get_all() -> list[Response]:
            answers = list[Response]()
            for start in range(0, len(addresses), AT_ONCE):
                batch = addresses[start : start + AT_ONCE]
                answers += await asyncio.gather(*(self._answer("GET", one) for one in batch))
            return answers

        return self.portal.call(get_all)

    async def _answer(
        self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        path, _, query = address.partition("?")
        data = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {
            "host": "localhost", "origin": ORIGIN, COUNTRY: "FR", "cookie": cookies,
            "content-type": "application/json", "content-length": str(len(data)), **(headers or {}),
        }  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "https", "path": unquote(path), "raw_path": quote(path).encode(),
            "query_string": query.encode(), "root_path": "", "client": ("testclient", 50000),
            "server": ("localhost", 443),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }  # fmt: skip
        got: list[Message] = []
        waiting = [{"type": "http.request", "body": data, "more_body": False}]

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            got.append(message)

        await self.app(scope, receive, send)
        return Response(
            got[0]["status"],
            headers=got[0]["headers"],
            content=b"".join(one.get("body", b"") for one in got[1:]),
        )


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


@contextmanager
def serving(parts: Parts) -> Iterator[Browser]:
    """The whole application, started; a browser somewhere that no order names."""
    app = build(parts)
    with TestClient(app) as client:
        assert client.portal is not None
        yield Browser(app, client.portal)
