"""Where the demo of a sale plays: two regions on loopback, and what is written down of both."""

import hashlib
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelm.commands.prove.journey import NONE, Person, wait_until
from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Unavailable
from reelm.proofs.dossier import Observed

Say = Callable[[str], None]
# Runs `reelm` with arguments, in an environment; returns exit status, output and errors.
Run = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]
LONGEST_SAID = 300
STOP_S = 60


@dataclass(frozen=True)
class Side:
    """One operator: its region's home, and the address at which it is served."""

    name: str
    operator: str
    home: Path
    port: int

    @property
    def address(self) -> str:
        """Where people find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Settings of this region; what the caller has set for others does not count."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("REELM_")}
        return own | {
            "REELM_HTTP_PORT": str(self.port),
            "REELM_HTTP_PUBLIC_URL": self.address,
            "REELM_HTTP_RATE_LIMITS": "false",
            # A region that serves people gives them 30 days; nobody waits so long for a demo.
            "REELM_TRANSFER_NOTICE_DAYS": "0",
        }


@dataclass
class Stage:
    """The two sides, the folder of everything, and what was observed so far."""

    folder: Path
    seller: Side
    buyer: Side
    run: Run
    say: Say
    act: str = ""
    observed: list[Observed] = field(default_factory=list)

    @property
    def exchange(self) -> Path:
        """The folder that both operators can reach."""
        return self.folder / "exchange"

    def begin(self, act: str, sentence: str) -> None:
        """Begin an act, and tell what happens in it."""
        self.act = act
        self.say(f"\n{now():%H:%M:%S}  {sentence}")

    def reelm(self, who: str, *arguments: object, at: Side | None = None, status: int = 0) -> str:
        """Run `reelm` with these arguments and return what it printed.

        Args:
            who: who runs it.
            arguments: the command.
            at: on whose region; none for somebody's desk.
            status: how it has to end.

        Raises:
            Unavailable: it ended otherwise; says how.
        """
        words = [str(word) for word in arguments]
        region = [] if at is None else ["--region", str(at.home)]
        told = self._plain(shlex.join(["reelm", *words, *region]))
        self.say(f"          {told}")
        code, out, errors = self.run([*words, *region], (at or self.seller).environment)
        said = self._plain(" ".join((errors if code else out).split()))
        self.saw(who, "a desk" if at is None else at.name, "", told, code, "", said)
        if code != status:
            raise Unavailable(f"`{told}` ended with {code}: {errors.strip()}")
        return out

    def saw(
        self, who: str, place: str, about: str, did: str, code: int, digest: str, said: str
    ) -> None:
        """Write down what was done and what came of it."""
        self.observed.append(
            Observed(
                at=utc_text(now()),
                act=self.act,
                who=who,
                place=place,
                about=about,
                did=did,
                code=code,
                digest=digest,
                said="" if said.startswith("{") else said[:LONGEST_SAID],
            )
        )

    def ask(self, who: str, side: Side, path: str, *, token: str = "", said: str = "") -> bytes:
        """Send a GET without a session, write down the answer, and return its body.

        Args:
            who: who asks.
            side: at whose address.
            path: what for.
            token: of a data room.
            said: what to write down of the answer; its Link (RFC 8288) where nothing is given.
        """
        status, link, data = _get(side, path, token)
        digest = hashlib.sha256(data).hexdigest()
        self.saw(who, side.name, "", f"GET {path}", status, digest, said or link)
        return data

    def look(self, side: Side, path: str) -> bytes:
        """Send a GET without a session, which is only to wait for something."""
        return _get(side, path, "")[2]

    def _plain(self, text: str) -> str:
        """Return a text without where the demo lies on this machine."""
        return text.replace(f"{self.folder}/", "").replace(str(self.folder), ".")

    @contextmanager
    def serving(self, side: Side) -> Iterator[None]:
        """Serve a side's region, as its operator does."""
        log = self.folder / f"{side.name}.log"
        with log.open("ab") as file:
            begun = file.tell()
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("reelm")), "serve", "--region", str(side.home)],
                stdout=file,
                stderr=file,
                env=side.environment,
                start_new_session=True,
            )
        try:
            wait_until(lambda: _is_ready(process, log, begun), f"{side.name} serves")
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_S)


class Viewer(Person):
    """Somebody who uses the service; what is asked and answered is written down."""

    def __init__(self, stage: Stage, side: Side, handle: str) -> None:
        self.stage, self.side, self.about = stage, side, handle
        super().__init__(side.port, handle)

    def try_call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = NONE
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request, and write down what was answered."""
        status, answered, data = super().try_call(method, path, body, headers)
        digest = hashlib.sha256(data).hexdigest()
        said = _sentence(data) if status >= 400 else ""
        self.stage.saw(
            self.handle, self.side.name, self.about, f"{method} {path}", status, digest, said
        )
        return status, answered, data

    def fetch(self, path: str, about: str) -> tuple[int, bytes]:
        """Ask for something and return status and body; say what it is about."""
        self.about = about
        status, _, data = self.try_call("GET", path)
        return status, data

    def sign_in(self, side: Side, password: str) -> None:
        """Sign in at another address, with the password from before."""
        self.side, self.port, self.headers = side, side.port, {}
        self.about = self.handle
        body = json.dumps({"handle": self.handle, "password": password}).encode()
        _, headers, _ = self.call("POST", "/api/sessions", body)
        self.headers["cookie"] = headers["set-cookie"].split(";")[0]


def _get(side: Side, path: str, token: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=60)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("link", ""), answer.read()
    finally:
        connection.close()


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def _is_ready(process: "subprocess.Popen[bytes]", log: Path, begun: int) -> bool | None:
    words = log.read_bytes()[begun:].decode("utf-8", "replace")
    if process.poll() is not None:
        raise Unavailable(f"`reelm serve` did not start: {words[-2000:]}")
    return True if " is at http://" in words else None


def _sentence(data: bytes) -> str:
    try:
        told: Any = json.loads(data)
        return str(told["detail"])
    except (ValueError, KeyError, TypeError):
        return ""
