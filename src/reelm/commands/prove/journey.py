"""What a person does with a region, over HTTP: sign up, upload, watch, take everything along."""

import base64
import http.client
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from reelm.foundation.errors import Unavailable
from reelm.videos.sandbox import Bounds, ffmpeg_path, run

PATIENCE_S = 120.0
WITHHELD = 451  # RFC 7725
_TUS = {"tus-resumable": "1.0.0"}
_CLIP = (
    *("-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
    *("-f", "lavfi", "-i", "testsrc2=s=180x320:r=24:d=1.5", "-f", "lavfi", "-i", "sine=d=1.5"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-pix_fmt", "yuv420p"),
    *("-c:a", "aac", "-movflags", "+faststart", "clip.mp4"),
)

Say = Callable[[str], None]
T = TypeVar("T")
NONE: Mapping[str, str] = {}


class Person:
    """Somebody with a session, who speaks the JSON API."""

    def __init__(self, port: int, handle: str, *, agent: str = "", **more: str) -> None:
        self.port, self.handle = port, handle
        self.headers: dict[str, str] = {"user-agent": agent} if agent else {}
        terms = self.ask("GET", "/api/region")["terms_version"]
        body = {
            "handle": handle,
            "password": "a password of the show",
            "birth_date": "1990-01-01",
            "terms_version": terms,
            **more,
        }
        _, headers, _ = self.call("POST", "/api/accounts", json.dumps(body).encode())
        self.headers["cookie"] = headers["set-cookie"].split(";")[0]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send JSON and return the answer's."""
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self.call(method, path, data)[2] or b"null")

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = NONE
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers and body.

        Raises:
            Unavailable: it was refused; says what was asked and what was answered.
        """
        status, answered, data = self.try_call(method, path, body, headers)
        if status >= 400:
            raise Unavailable(f"{method} {path} was answered by {status}: {data[:300]!r}")
        return status, answered, data

    def try_call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = NONE
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return status, headers and body, whatever they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        kind = {} if body is None else {"content-type": "application/json"}
        try:
            connection.request(method, path, body, {**self.headers, **kind, **headers})
            answer = connection.getresponse()
            # Of several cookies the first, which is the session's.
            found = {name.lower(): value for name, value in reversed(answer.getheaders())}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def upload(self, clip: Path, **metadata: str) -> str:
        """Upload a file; return the video's id."""
        data = clip.read_bytes()
        words = ",".join(
            f"{name} {base64.b64encode(value.encode()).decode()}"
            for name, value in {"filename": clip.name, **metadata}.items()
        )
        made = {**_TUS, "upload-length": str(len(data)), "upload-metadata": words}
        location = self.call("POST", "/api/uploads", b"", made)[1]["location"]
        path = location[location.index("/api/") :]
        sent = {
            **_TUS,
            "upload-offset": "0",
            "content-type": "application/offset+octet-stream",
        }
        return self.call("PATCH", path, data, sent)[1]["reelm-video-id"]

    def wait_for_ladder(self, video_id: str) -> dict[str, Any]:
        """Wait until the video is encoded, not only repackaged."""

        def encoded() -> dict[str, Any] | None:
            video: dict[str, Any] = self.ask("GET", f"/api/videos/{video_id}")
            if video["state"] == "failed":
                raise Unavailable(f"The clip was refused: {video['reason']}")
            names = {one["name"] for one in video["renditions"]}
            return video if names and names != {"source"} else None

        return wait_until(encoded, "the clip is encoded")


def walk(port: int, home: Path, clip: Path, say: Say) -> None:
    """Go the whole way once.

    Args:
        port: where the region is served.
        home: its folder, for the commands of its operator.
        clip: what is uploaded.
        say: is told each step.

    Raises:
        Unavailable: a step did not work; says which.
    """
    person = Person(port, "walker")
    say("signed up")
    video_id = person.upload(clip, caption="A clip of the show #proof", audience="public")
    say("uploaded a clip")
    video = person.wait_for_ladder(video_id)
    say(f"encoded: {', '.join(one['name'] for one in video['renditions'])}")
    other = Person(port, "watcher")
    feed = wait_until(
        lambda: other.ask("GET", "/api/feed?limit=5")["videos"] or None, "the feed has the clip"
    )
    master = other.call("GET", feed[0]["manifest_url"])[2].decode()
    media = other.call("GET", feed[0]["progressive_url"])[2]
    if "#EXTM3U" not in master or b"ftyp" not in media[:16]:
        raise Unavailable("The feed's clip is not playable.")
    say(f"watched the feed: {len(media)} bytes")
    _order_removal(home, video_id)
    wait_until(
        lambda: other.try_call("GET", f"/api/videos/{video_id}")[0] == WITHHELD or None,
        "the order is in effect",
    )
    say("carried out an order to remove it")
    archive = person.call("GET", "/api/me/export")[2]
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    say(f"exported the account: {len(names)} files")


def _order_removal(home: Path, video_id: str) -> None:
    """Order, as an authority that the operator takes in, that the video be removed."""
    desk = home.with_suffix(".desk")
    desk.mkdir()
    key, order, signed = desk / "key.pem", desk / "order.json", desk / "order.dsse"
    region = ("--region", str(home))
    public = _reelm("order", "keygen", str(key)).strip()
    powers = ("--power", "order_content", "--objections", "A street of the show")
    added = _reelm("authority", "add", "Authority of the show", *powers, "--key", public, *region)
    found = re.search(r"authority (\d+) here; .* region (\w{32})", added)
    if found is None:
        raise Unavailable(f"`reelm authority add` said: {added}")
    names = ("--authority", found[1], "--region-id", found[2], "--reference", "show/1")
    reasons = ("--basis", "Act of the show, section 1", "--reasons", "To see it removed.")
    draft = _reelm("order", "draft", "remove", "--video", video_id, *names, *reasons)
    order.write_text(draft, "utf-8")
    signed.write_text(_reelm("order", "sign", str(order), "--key", str(key)), "utf-8")
    _reelm("order", "submit", str(signed), *region)


def _reelm(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("reelm")), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise Unavailable(f"`reelm {' '.join(arguments[:2])}` failed: {ran.stderr.strip()}")
    return ran.stdout


def make_clip(folder: Path) -> Path:
    """Draw a small clip with sound."""
    outcome = run([ffmpeg_path(), *_CLIP], work=folder, bounds=Bounds(wall_s=60, nice=0))
    if not outcome.ok:
        raise Unavailable(f"The clip could not be drawn: {outcome.errors.strip()}")
    return folder / "clip.mp4"


def wait_until(look: Callable[[], T | None], what: str) -> T:
    """Return what `look` returns once it returns something."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise Unavailable(f"Waited {PATIENCE_S:.0f} s in vain until {what}.")
