"""A served region with clips in it, and the people who visit it with a browser."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from tests.browser.factory import Clips
from tests.commands.served import REELM, Served, serving

PASSWORD = "correct horse battery"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
CREATORS = ("asha", "bora", "chen")
PLAIN_CLIPS = 14
# Only one clip has hashtags.
TAGGED_BY, TAGGED = "bora", "Down the #rivers in #fog by #boat"
_numbers = count(1)


@dataclass
class House:
    """The region that all browser tests share: they leave what others need as it was."""

    served: Served
    clips: Clips

    @property
    def address(self) -> str:
        return self.served.address

    def bring(self, handle: str, files: Sequence[Path]) -> list[str]:
        """Import files for an account; return the videos' ids once all sizes are made."""
        arguments = ["import", "--region", str(self.served.home), "--as", handle, "--json"]
        done = subprocess.run(
            [*REELM, *arguments, *map(str, files)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        outcomes = {line["file"]: line for line in map(json.loads, done.stdout.splitlines())}
        return [outcomes[str(path)]["video_id"] for path in files]


@contextmanager
def filled(home: Path, clips: Clips) -> Iterator[House]:
    """Serve a new region with clips of several people."""
    with serving(home) as served:
        house = House(served, clips)
        session = _signed_up(house, TAGGED_BY)
        for place, handle in enumerate(CREATORS):
            mine = range(place, PLAIN_CLIPS, len(CREATORS))
            ids = house.bring(handle, [clips.plain(number) for number in mine])
            if handle == TAGGED_BY:
                address = f"{house.address}/api/videos/{ids[-1]}"
                httpx.patch(address, json={"caption": TAGGED}, headers=session).raise_for_status()
        yield house


def _signed_up(house: House, handle: str) -> dict[str, str]:
    """Make an account and return the header that asks as it would."""
    terms = httpx.get(f"{house.address}/api/region").json()["terms_version"]
    form = {"handle": handle, "password": PASSWORD, "birth_date": "1990-05-17"}
    answer = httpx.post(f"{house.address}/api/accounts", json={**form, "terms_version": terms})
    answer.raise_for_status()
    return {"cookie": f"reelm_session={answer.cookies['reelm_session']}"}


@dataclass
class Visit:
    """One person's browser window; whatever goes wrong in it is kept."""

    house: House
    context: BrowserContext
    address: str
    expected: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self._keep(f"uncaught {error.error}"))
        self.context.on("request", self._on_request)
        self.context.on("requestfailed", self._on_failed)
        self.page: Page = self.context.new_page()
        # A busy machine is slow; nothing is measured here.
        self.page.set_default_timeout(30_000)

    def go(self, path: str) -> Page:
        """Open a page of the service."""
        self.page.goto(self.address + path)
        return self.page

    def status(self, path: str) -> int:
        """Open an address and return the status of its answer."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def join(self, handle: str | None = None, **more: Any) -> str:
        """Sign up through the API and return the handle."""
        handle = handle or f"visitor{next(_numbers)}_{secrets.token_hex(2)}"
        terms = self.api("GET", "/api/region")["terms_version"]
        form = {"handle": handle, "password": PASSWORD, "birth_date": "1990-05-17"}
        self.api("POST", "/api/accounts", {**form, "terms_version": terms, **more})
        return handle

    def sign_in(self, handle: str) -> None:
        """Sign in through the API."""
        self.api("POST", "/api/sessions", {"handle": handle, "password": PASSWORD})

    def api(self, method: str, path: str, body: object | None = None) -> Any:
        """Ask the API as this window would."""
        address = self.address + path
        headers = {"content-type": "application/json"} if body is not None else {}
        data = json.dumps(body) if body is not None else None
        answer = self.context.request.fetch(address, method=method, data=data, headers=headers)
        assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json() if answer.text() else None

    def expect(self, *words: str) -> None:
        """Name what this test provokes: a problem that contains one of these is none."""
        self.expected.extend(words)

    def _keep(self, problem: str) -> None:
        self.problems.append(problem)

    def unexpected(self) -> list[str]:
        return [p for p in self.problems if not any(word in p for word in self.expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self._keep(f"console {message.type}: {message.text} {where}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            self._keep(f"request to another host: {request.url}")

    def _on_failed(self, request: Request) -> None:
        # A <video> that has enough, and a page that is left, end their requests themselves.
        if request.failure != "net::ERR_ABORTED":
            self._keep(f"failed request: {request.url} {request.failure}")


def open_visit(house: House, browser: Browser, address: str | None, **options: Any) -> Visit:
    """Open a window of its own, like another device."""
    context = browser.new_context(**{**PHONE, "service_workers": "block", **options})
    return Visit(house, context, address or house.address)
