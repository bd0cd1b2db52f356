"""A fresh region served by the real `reelm serve`, with its processes by role."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig.client import Client

REELM = Path(sys.executable).with_name("reelm")
START_S = 60.0
STOP_S = 30.0
# Benchmarks send more than any person; the limits are measured by nobody here.
UNLIMITED = {"REELM_HTTP_RATE_LIMITS": "false"}


@dataclass(frozen=True)
class Served:
    """A running region."""

    home: Path
    port: int
    supervisor: int

    def client(self) -> Client:
        """Return a new connection to it."""
        return Client(self.port)

    def processes(self) -> dict[str, list[int]]:
        """Return the process ids by role: supervisor, web, worker, database, other."""
        roles: dict[str, list[int]] = {"supervisor": [self.supervisor]}
        for pid in _descendants(self.supervisor):
            with suppress(OSError):
                roles.setdefault(_role(pid), []).append(pid)
        return roles

    def pin(self, role: str, core: int) -> None:
        """Let the processes of a role run on one core only, threads of the future included."""
        for pid in self.processes()[role]:
            with suppress(OSError):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    os.sched_setaffinity(int(thread.name), {core})


@contextmanager
def served(environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Make a region in a temporary folder and serve it on a free port until the end."""
    with made() as home, serving(home, environment) as region:
        yield region


@contextmanager
def made() -> Iterator[Path]:
    """Make a region in a temporary folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="reelm-bench-"))
    folder.chmod(0o755)  # as root the database runs as a user of its own
    home = folder / "region"
    options = ("--jurisdiction", "neutral", "--operator", "Benchmark")
    try:
        subprocess.run([REELM, "init", home, *options], check=True, stdout=sys.stderr)
        yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Serve a region on a free port until the end."""
    port = _free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("REELM_")}
    settings = {**clean, **UNLIMITED, **(environment or {}), "REELM_HTTP_PORT": str(port)}
    process = subprocess.Popen([REELM, "serve", "--region", home], env=settings, stdout=sys.stderr)
    try:
        _wait_for(port, process)
        yield Served(home, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        finally:
            process.kill()


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and of those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    ticks = sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    for role in ("web", "worker"):
        if f"reelm.commands.child {role} " in words:
            return role
    return "database" if "postgres" in words else "other"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit("reelm serve ended before it answered")
        with suppress(OSError):
            if Client(port).get("/healthz").status == 200:
                return
        time.sleep(0.05)
    sys.exit("reelm serve did not answer in time")
