"""A small client: one kept connection, cookies, sign up, tus upload."""

import base64
import http.client
import json
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Client:
    """One connection to a service on loopback."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None

    def get(self, path: str, **headers: str) -> Reply:
        """Fetch an address."""
        return self.send("GET", path, headers=headers)

    def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Send a request with the cookies so far and return the whole reply."""
        sent = {**(headers or {}), "Cookie": self.cookie}
        try:
            response = self._sent(method, path, body, sent)
        except http.client.RemoteDisconnected:  # a kept connection that was idle for long
            self.connection = None
            response = self._sent(method, path, body, sent)
        reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, b"")
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                self.cookies |= {k: morsel.value for k, morsel in SimpleCookie(value).items()}
        return Reply(reply.status, reply.headers, response.read())

    def _sent(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.connection.request(method, path, body or None, headers)
        return self.connection.getresponse()

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def sign_up(self, handle: str) -> None:
        """Make an account and be signed in."""
        person = {
            "handle": handle,
            "password": "a long password of a benchmark",
            "birth_date": "1990-01-01",
            "terms_version": self.get("/api/region").json["terms_version"],
        }
        sent = {"Content-Type": "application/json"}
        reply = self.send("POST", "/api/accounts", headers=sent, body=json.dumps(person).encode())
        if reply.status != 201:
            raise RuntimeError(f"signing up failed: {reply.status} {reply.body!r}")

    def upload(self, content: bytes, caption: str) -> str:
        """Send a file by tus in one request after its creation; return the video's id."""
        words = {"filename": "clip.mp4", "filetype": "video/mp4", "caption": caption}
        words |= {"audience": "public", "language": "en"}
        metadata = ",".join(
            f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items()
        )
        tus = {"Tus-Resumable": "1.0.0"}
        made = self.send(
            "POST",
            "/api/uploads",
            headers={**tus, "Upload-Length": str(len(content)), "Upload-Metadata": metadata},
        )
        if made.status != 201:
            raise RuntimeError(f"the upload was refused: {made.status} {made.body!r}")
        done = self.send(
            "PATCH",
            made.headers["location"],
            headers={
                **tus,
                "Upload-Offset": "0",
                "Content-Type": "application/offset+octet-stream",
            },
            body=content,
        )
        if done.status != 204:
            raise RuntimeError(f"the upload failed: {done.status} {done.body!r}")
        return done.headers["reelm-video-id"]

    def wait_until_ready(self, video_id: str) -> Any:
        """Return the video once it is playable."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            video = self.get(f"/api/videos/{video_id}").json
            if video["state"] == "ready":
                return video
            if video["state"] == "failed":
                raise RuntimeError(f"the video was refused: {video}")
            time.sleep(0.01)
        raise RuntimeError("the video did not become playable")

    def wait_for_ladder(self, video_id: str, count: int) -> Any:
        """Return the video once it has `count` renditions of its ladder."""
        end = time.monotonic() + 10 * PATIENCE_S
        while time.monotonic() < end:
            video = self.get(f"/api/videos/{video_id}").json
            if sum(r["name"] != "source" for r in video["renditions"]) >= count:
                return video
            time.sleep(0.1)
        raise RuntimeError("the ladder was not finished")
