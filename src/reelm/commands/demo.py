"""`reelm demo`: a region full of made-up clips, made on the spot and served.

The clips are drawn, imported and published while the region already serves, by the worker that
publishes everybody's uploads; so the first can be watched seconds after the start.
"""

import json
import os
import secrets
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from reelm import app
from reelm.commands import demo_fill, demo_look
from reelm.commands.demo_clips import Clip, clips
from reelm.commands.serve import is_served, serve
from reelm.foundation.config import Settings, load
from reelm.foundation.errors import Conflict
from reelm.foundation.home import Home

OPERATOR = "Demo operator (not a real company)"
NAME = "Reelm demo"
PORTS_TO_TRY = 20


def run(path: Path, *, once: bool, port: int, wanted: Sequence[Clip] | None = None) -> int:
    """Make the demo region at `path` if it is not there, serve it, and fill it with clips.

    Args:
        path: the region home, new or from an earlier run.
        once: look at the result over HTTP, print one line of JSON and stop.
        port: where to serve; the next free one if it is taken, any if 0.
        wanted: the clips to have; all of them if not given.

    Returns:
        The exit status.

    Raises:
        Conflict: something else is at `path`, it is served already, or no port is free.
    """
    began = time.monotonic()
    home = _ensure_region(path)
    if is_served(home):
        raise Conflict(f"The region at {home.path} is being served already.")
    os.environ["REELM_HTTP_PORT"] = str(_free_port(load(home.path).http.address, port))
    show = _Show(home, began, tuple(clips() if wanted is None else wanted), once=once)
    serve(home.path, _say, show.on_ready)
    show.join()
    return 0


@dataclass
class _Show:
    """What happens beside the serving, in a thread of its own."""

    home: Home
    began: float
    wanted: tuple[Clip, ...]
    once: bool
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    failure: Exception | None = None
    summary: dict[str, float] | None = None

    def on_ready(self, port: int, settings: Settings) -> None:
        """Begin; called in the main thread once the service answers."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._stop_at(number)
        address = f"http://{_shown(settings.http.address)}:{port}"
        self.thread = threading.Thread(target=self._run, args=(address,), name="demo")
        self.thread.start()

    def join(self) -> None:
        """Wait for the end; print the summary, or raise what went wrong."""
        self.stop.set()
        if self.thread is not None:
            self.thread.join()
        if self.failure is not None:
            raise self.failure
        if self.summary is not None:
            sys.stdout.write(json.dumps(self.summary) + "\n")

    def _run(self, address: str) -> None:
        try:
            with app.join_region(self.home.path, connections=4) as parts:
                filling = demo_fill.Filling(parts, self.began, self.stop, _say)
                signs = filling.ensure_people()
                _say(f"{NAME} is at {address} (Ctrl-C stops it)")
                for handle, password in signs.items():
                    _say(f"  sign in as {handle}, password {password}")
                _say(f"  {demo_fill.STAFF} has a second factor; this prints its code:")
                _say(f"    {_code_command(self.home.path)}")
                filled = filling.ensure_videos(self.wanted)
            if self.once:
                self.summary = {**filled.numbers(), **demo_look.look(address)}
        except demo_fill.Stopped:
            return
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            self.failure = error
        if self.once or self.failure is not None:
            os.kill(os.getpid(), signal.SIGTERM)

    def _stop_at(self, number: signal.Signals) -> None:
        """Leave the region at this signal too, so that its database need not wait for us."""
        before = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None) -> None:
            self.stop.set()
            if callable(before):
                before(received, frame)

        signal.signal(number, handle)


def _ensure_region(path: Path) -> Home:
    home = Home(path.resolve())
    if not (home.path / "region.toml").exists():
        _say(f"Making a demo region in {home.path}")
        app.make_region(
            home.path,
            jurisdiction="neutral",
            operator=OPERATOR,
            name=NAME,
            number=secrets.randbelow(1024),
        )
    elif load(home.path).region.operator != OPERATOR:
        raise Conflict(f"{home.path} is a region, but not a demo: choose another with --region.")
    return home


def _code_command(home: Path) -> str:
    """Return the command as it works here: `reelm` may be on no path that a shell looks at."""
    return shlex.join([sys.argv[0], "demo", "--code", "--region", str(home)])


def _free_port(address: str, port: int) -> int:
    """Return `port`, or the next one that nobody listens on, and say so."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TO_TRY, 65536)) if port else (0,):
        try:
            with socket.create_server((address, candidate), family=family) as probe:
                free = int(probe.getsockname()[1])
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            _say(f"Port {candidate} cannot be used ({reason}); trying the next one.")
        else:
            return free
    raise Conflict(f"None of {PORTS_TO_TRY} ports from {port} on is free: choose with --port.")


def _shown(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)  # noqa: S104 - no bind


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
