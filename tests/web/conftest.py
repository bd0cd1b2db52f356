"""HTTP clients of the whole application, in-process and over a real socket."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from reelm.feed import live
from reelm.feed.live import LiveFeed
from reelm.feed.ranker import Sizes
from reelm.foundation.parts import Parts
from reelm.web.application import build

# A ranker with room for a few hundred videos is made in no time.
FEW = Sizes(**dict.fromkeys(Sizes.__dataclass_fields__, 512))

SIGN_UP = {"password": "correct horse battery", "birth_date": "1990-05-17"}


@pytest.fixture(autouse=True)
def small_ranker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the ranker room for a few hundred of everything."""
    monkeypatch.setattr(live, "SIZES", FEW)


@pytest.fixture
def application(parts: Parts) -> Iterator[ASGIApp]:
    """The application in this process, started: one, for one holds the feed that learns."""
    application = build(parts)
    with TestClient(application, base_url="https://localhost"):
        yield application


@pytest.fixture
def live_feed(application: Any) -> LiveFeed:
    """The feed that learns of the application."""
    live: LiveFeed = application.application.starlette.state.live
    return live


@pytest.fixture
def heard(live_feed: LiveFeed) -> Callable[..., None]:
    """Wait until the ranker has heard of new videos, as it does a moment after their commit."""

    def heard(*video_ids: str) -> None:
        wanted = {int(video_id) for video_id in video_ids}
        while not wanted <= set(live_feed.holder._ranker.videos()):
            time.sleep(0.02)

    return heard


@pytest.fixture
def client(application: ASGIApp) -> TestClient:
    """An anonymous client; cookies are kept."""
    return _client(application)


@pytest.fixture
def join(application: ASGIApp) -> Callable[[str], TestClient]:
    """Sign somebody up and return their own client."""

    def join(handle: str) -> TestClient:
        client = _client(application)
        terms = client.get("/api/region").json()["terms_version"]
        answer = client.post(
            "/api/accounts", json={**SIGN_UP, "handle": handle, "terms_version": terms}
        )
        assert answer.status_code == 201, answer.text
        return client

    return join


def _client(application: ASGIApp) -> TestClient:
    client = TestClient(application, base_url="https://localhost")
    client.headers["origin"] = "https://localhost"
    return client


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
