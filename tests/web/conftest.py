"""HTTP clients of the whole application, in-process and over a real socket."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import httpx2 as httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.testclient import TestClient

from reelm.foundation.parts import Parts
from reelm.web.application import build

SIGN_UP = {"password": "correct horse battery", "birth_date": "1990-05-17"}


@pytest.fixture
def client(parts: Parts) -> Iterator[TestClient]:
    """The application in this process; cookies are kept."""
    with TestClient(build(parts), base_url="https://localhost") as client:
        client.headers["origin"] = "https://localhost"
        yield client


@pytest.fixture
def join(parts: Parts) -> Iterator[Callable[[str], TestClient]]:
    """Sign somebody up and return their own client."""
    application = build(parts)
    opened: list[TestClient] = []

    def join(handle: str) -> TestClient:
        client = TestClient(application, base_url="https://localhost")
        client.__enter__() if not opened else None
        opened.append(client)
        client.headers["origin"] = "https://localhost"
        terms = client.get("/api/region").json()["terms_version"]
        answer = client.post(
            "/api/accounts", json={**SIGN_UP, "handle": handle, "terms_version": terms}
        )
        assert answer.status_code == 201, answer.text
        return client

    yield join
    if opened:
        opened[0].__exit__(None, None, None)


@pytest.fixture
def server(parts: Parts) -> Iterator[str]:
    """The application behind a real socket; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loop = asyncio.new_event_loop()
    server = Server(
        build(parts), address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False
    )
    thread = threading.Thread(target=_serve, args=(loop, server), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx.get(f"{address}/healthz")
            break
        except httpx.TransportError:
            continue
    yield address
    loop.call_soon_threadsafe(server.stop)
    thread.join(timeout=10)


def _serve(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(server.serve())
    loop.close()
