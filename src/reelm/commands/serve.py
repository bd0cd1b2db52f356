"""`reelm serve`: a small supervisor over the database, the web processes and the worker.

Each child dies with the supervisor and is restarted when it ends. Web and worker are locked before
they begin (foundation/egress/serving.py), and a thread sees what their locks refuse. The supervisor
does nothing else, so that there is little in it that could fail.

Once the home says that its region has gone to another operator (transfer/departed.py), one process
answers with the notice of it, and neither database nor keys are opened.
"""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Literal, cast

from reelm import app
from reelm.commands.listening import listen
from reelm.foundation.config import Settings, load
from reelm.foundation.database.embedded import EmbeddedPostgres
from reelm.foundation.database.roles import ensure_owner
from reelm.foundation.egress.confined import Order, confined
from reelm.foundation.egress.notified import Watch
from reelm.foundation.egress.serving import notice_order, serving_order
from reelm.foundation.egress.tally import Refusal, Tally
from reelm.foundation.errors import Conflict, Unavailable
from reelm.foundation.home import Home
from reelm.transfer.departed import has_departed, read_departure

LOOK_EVERY_S = 0.2
ANSWER_S = 2.5
# A child that ends sooner than this after its start is restarted with growing pauses.
STEADY_S = 5.0
LONGEST_PAUSE_S = 10.0
# Web and worker end by themselves well before; see child.py.
STOP_S = 6.0
NOTICE = "notice"
GONE = "The region has gone to another operator: this address says where to, and nothing else."

Say = Callable[[str], None]


@dataclass
class _Child:
    name: str
    spawn: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause_s: float = 0.0

    def start(self) -> None:
        self.process = self.spawn()
        self.started_at = time.monotonic()

    def look(self, say: Say) -> None:
        """Restart the process if it has ended."""
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return
            lived_s = time.monotonic() - self.started_at
            self.pause_s = (
                0.0 if lived_s > STEADY_S else min(self.pause_s * 2 + 0.2, LONGEST_PAUSE_S)
            )
            self.restart_at = time.monotonic() + self.pause_s
            self.process = None
            say(f"{self.name} ended ({_ending(status)}); it is started again.")
        if time.monotonic() >= self.restart_at:
            self.start()


@dataclass
class Supervisor:
    """Runs one region until it is told to stop."""

    home: Home
    settings: Settings
    say: Say
    children: list[_Child] = field(default_factory=list)
    postgres: EmbeddedPostgres | None = None
    stopping: bool = False
    module: str = "reelm.commands.child"

    def run(self, on_ready: Callable[[int], None]) -> None:
        """Serve until SIGTERM or SIGINT; `on_ready` is told the port once the web answers.

        Raises:
            Conflict: the region is being served already, or the port is taken.
        """
        with ExitStack() as stack:
            lock = stack.enter_context(_only_one(self.home))
            address = self.settings.http.address
            listener = stack.enter_context(listen(address, self.settings.http.port))
            port = int(listener.getsockname()[1])
            _sign(lock, address, port)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)
            stack.callback(self._stop)
            self._start(listener)
            self._wait_for_web(port)
            if not self.stopping:
                on_ready(port)
            while not self.stopping:
                self._look()
                if self.is_notice:
                    self._leave_database()
                elif has_departed(self.home):
                    self._depart(listener)
                time.sleep(LOOK_EVERY_S)

    def _on_signal(self, number: int, frame: object) -> None:  # noqa: ARG002 - signal's form
        self.stopping = True

    @property
    def is_notice(self) -> bool:
        """Whether the region has gone, and its notice is what answers."""
        return any(child.name == NOTICE for child in self.children)

    def _start(self, listener: socket.socket) -> None:
        if has_departed(self.home):
            self.say(GONE)
            self._start_notice(listener)
            return
        owner = self._start_database()
        app.prepare(self.home, self.settings, owner)
        tally = Tally(self.home.path)
        tally.start()
        watch = Watch(lambda name, what: tally.count(Refusal(name, "b", "socket", what)))
        watch.start()
        roles = ["web"] * self.settings.http.processes + ["worker"]
        for role in roles:
            self._start_child(role, listener, watch)

    def _start_notice(self, listener: socket.socket) -> None:
        read_departure(self.home)  # damaged, it is told at the terminal, not at the address
        watch = Watch(lambda *_: None)
        watch.start()
        self._start_child(NOTICE, listener, watch)

    def _depart(self, listener: socket.socket) -> None:
        """Go over from the service to the notice: the home says now that the region has gone."""
        self.say(GONE)
        self._stop_children()
        self._start_notice(listener)

    def _leave_database(self) -> None:
        """Let go of the database once no command uses it any more: the notice needs none."""
        if self.postgres is not None and self.postgres.wait_for_users(0.0):
            self.postgres.leave()
            self.postgres = None

    def _start_child(self, role: str, listener: socket.socket, watch: Watch) -> None:
        child = _Child(role, partial(self._spawn, role, listener, watch))
        child.start()
        self.children.append(child)

    def _spawn(self, role: str, listener: socket.socket, watch: Watch) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", self.module, role, str(self.home.path)]
        arguments.append(str(os.getpid()))
        port = str(listener.getsockname()[1])
        with watch.door(role) as door:
            handed = [door.fileno()]
            if role in ("web", NOTICE):
                handed.append(listener.fileno())
                arguments.append(str(listener.fileno()))
            # A group of its own: Ctrl-C reaches the supervisor alone, which stops it in order.
            return subprocess.Popen(
                confined(arguments, self._order(role, door.fileno())),
                env={**os.environ, "REELM_HTTP_PORT": port, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=handed,
                process_group=0,
            )

    def _order(self, role: str, door: int) -> Order:
        return notice_order(door) if role == NOTICE else serving_order(self.settings, door)

    def _start_database(self) -> str:
        if self.settings.database.url:
            return self.settings.database.url
        version = cast("Literal['16', '18']", self.settings.database.embedded_version)
        self.postgres = EmbeddedPostgres(self.home.path, version)
        self.postgres.own(on_wait=self.say)
        self.postgres.ensure_cluster()
        self.postgres.start()
        server = self.postgres.wait_ready()
        password = self.home.secret("database-owner")
        ensure_owner(server.conninfo(), app.OWNER, password, app.DATABASE)
        return server.conninfo(app.OWNER, password)

    def _look(self) -> None:
        if self.postgres is not None:
            process = self.postgres.process
            if process is None or process.poll() is not None:
                self.say("The database ended; it is started again.")
                self._restart_database(self.postgres)
        for child in self.children:
            child.look(self.say)

    def _restart_database(self, postgres: EmbeddedPostgres) -> None:
        try:
            postgres.start()
            postgres.wait_ready()
        except Unavailable as error:
            self.say(error.sentence)
            time.sleep(1.0)

    def _wait_for_web(self, port: int) -> None:
        # Connections are taken by the kernel as soon as the port is bound, so wait for an answer.
        while not self.stopping:
            self._look()
            address = _reachable(self.settings.http.address)
            connection = http.client.HTTPConnection(address, port, timeout=ANSWER_S)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
            finally:
                connection.close()

    def _stop(self) -> None:
        self._stop_children()
        if self.postgres is not None:
            self.postgres.leave(users_timeout_s=2.0, stop_timeout_s=5.0, on_wait=self.say)

    def _stop_children(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        end = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.children.clear()


def serve(path: Path, say: Say, on_ready: Callable[[int, Settings], None]) -> None:
    """Serve the region at `path` until SIGTERM or SIGINT.

    Args:
        path: the region home.
        say: is told sentences for the person at the terminal.
        on_ready: is told the port and the settings once the service answers.
    """
    settings = load(path)
    supervisor = Supervisor(Home(path.resolve()), settings, say)
    supervisor.run(lambda port: on_ready(port, settings))


def is_served(home: Home) -> bool:
    """Whether a supervisor runs this region now."""
    try:
        with _only_one(home):
            return False
    except Conflict:
        return True


def served_at(home: Home) -> tuple[str, int] | None:
    """Return address and port where the supervisor that runs this region listens."""
    try:
        address, _, port = (home.path / "serve.lock").read_text("ascii").strip().partition(" ")
    except OSError:
        return None
    return (_reachable(address), int(port)) if port.isdigit() else None


def _sign(lock: IO[bytes], address: str, port: int) -> None:
    """Write into the lock file where this supervisor listens, for the doctor."""
    lock.truncate(0)
    lock.write(f"{address} {port}\n".encode("ascii"))
    lock.flush()


def _only_one(home: Home) -> IO[bytes]:
    lock = (home.path / "serve.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Conflict(f"The region at {home.path} is being served already.") from None
    return lock


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - no bind


def _ending(status: int) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"status {status}"
