"""Other processes of a region with an embedded PostgreSQL, and looks at its server."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from reelm.foundation.database.embedded import Server
from reelm.foundation.database.embedded_process import cluster_name, opened

SOURCE = Path(__file__).parents[3] / "src"
IS_ROOT = os.geteuid() == 0

# Another process of the region: says what it found, then stays until its stdin ends.
# Without the package's own imports, which take a second and are not what is tested here.
OTHER = """
import json, os, sys, types
from pathlib import Path
import psycopg
import reelm.foundation
package = types.ModuleType("reelm.foundation.database")
package.__path__ = [reelm.foundation.__path__[0] + "/database"]
sys.modules[package.__name__] = package
from reelm.foundation.database.embedded import running
def tell(**facts): print(json.dumps(facts), flush=True)
tell(pid=os.getpid())
with running(Path(sys.argv[1]), on_wait=lambda why: tell(waits=why)) as server:
    with psycopg.connect(server.conninfo()) as connection:
        started = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()[0]
    tell(conninfo=server.conninfo(), started=started)
    sys.stdin.read()
tell(ended=True)
"""


class Other:
    """Another process that uses a region."""

    def __init__(self, home: Path, **options) -> None:
        command = [options.pop("python", sys.executable), "-c", OTHER, str(home)]
        environment = os.environ | {"PYTHONPATH": str(SOURCE)} | options.pop("env", {})
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        # Any: its pipes are there, though the type says that they may be None.
        self.process: Any = subprocess.Popen(command, env=environment, **pipes, **options)
        self.pid = self.hears()["pid"]

    def hears(self):
        line = self.process.stdout.readline()
        assert line, "the other process ended early"
        return json.loads(line)

    def leave(self) -> None:
        self.process.stdin.close()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


def until(condition: Callable[[], object], timeout_s: float = 15) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def processes(home: Path) -> list[int]:
    """Return the server's processes, by their titles."""
    with opened(home / "postgres") as folder:
        name = cluster_name(folder).encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        # It may end just now.
        with contextlib.suppress(OSError):
            if name in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def postmaster(home: Path) -> int:
    return int((home / "postgres/postmaster.pid").read_text().split()[0])


def ask(server: Server, query: str):
    with psycopg.connect(server.conninfo()) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone() if cursor.description else None
