"""A real `reelm serve` that a test may kill piece by piece."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2 as httpx

REELM = [str(Path(sys.executable).with_name("reelm"))]
# Generous: the machine may be busy. Nothing is measured by it.
PATIENCE_S = 120.0


def reelm(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*REELM, *arguments], capture_output=True, text=True, check=check, timeout=PATIENCE_S
    )


T = TypeVar("T")


def until(look: Callable[[], T | None]) -> T:
    """Return what `look` returns once that is something."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            found = look()
        except httpx.TransportError:
            found = None
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {look}")


@dataclass
class Served:
    """A region under a supervisor."""

    home: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the processes print."""
        return self.home.with_suffix(".log")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            **os.environ,
            **self.environment,
            "REELM_HTTP_PORT": str(self.port),
            "REELM_HTTP_RATE_LIMITS": "false",
        }
        began_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*REELM, "serve", "--region", str(self.home)],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.port = until(lambda: self._said_port(began_at))

    def _said_port(self, began_at: int) -> int | None:
        words = self.log.read_text()[began_at:]
        if found := re.search(r" is at http://127\.0\.0\.1:(\d+)", words):
            return int(found.group(1))
        assert self.process is not None
        assert self.process.poll() is None, f"it did not start: {words}"
        return None

    def stop(self) -> float:
        """Stop as Ctrl-C does; return the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        return time.monotonic() - began

    def kill(self, what: str) -> None:
        """End one part as the kernel does when memory is short."""
        assert self.process is not None
        pid = self.process.pid if what == "supervisor" else self.child(what)
        os.kill(pid, signal.SIGKILL)
        if what == "supervisor":
            self.process.wait(timeout=30)
            until(lambda: not self.everything())

    def child(self, what: str) -> int:
        assert self.process is not None
        words = {"database": "bin/postgres"}.get(what, f"reelm.commands.child {what}")
        found = [
            pid for pid, parent, line in processes() if words in line and parent == self.process.pid
        ]
        assert len(found) == 1, found
        return found[0]

    def everything(self) -> list[int]:
        """Processes of this region, ffmpeg included, that still run."""
        here = str(self.home)
        return [
            pid
            for pid, _, line in processes()
            if here in line and "reelm" in line and pid != os.getpid() and "pytest" not in line
        ]

    def jobs(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        told = httpx.get(f"{self.address}/metrics").text
        counts = re.findall(r'^reelm_jobs\{state="(\w+)"\} (\d+)', told, re.MULTILINE)
        return {state: int(count) for state, count in counts}


def processes() -> Iterator[tuple[int, int, str]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        fields = stat.rsplit(")", 1)[1].split()
        if fields[0] != "Z":
            yield int(folder.name), int(fields[1]), line


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    """Make a region at `home` and serve it."""
    reelm("init", str(home), "--jurisdiction", "neutral", "--operator", "Test Operator")
    served = Served(home, port=0)
    served.start()
    try:
        yield served
    finally:
        if served.process is not None and served.process.poll() is None:
            served.stop()
