"""The processes of PostgreSQL: starting one that dies with its owner, and outliving killed ones."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from reelm.foundation.database import embedded_child
from reelm.foundation.database.embedded_user import User
from reelm.foundation.egress.filters import LOCAL_FAMILIES
from reelm.foundation.egress.filters import program as program_of
from reelm.foundation.errors import Unavailable

# A killed server's processes end within milliseconds; one in a long query does not look up.
PATIENCE_S = 0.25
IMMEDIATE_STOP_S = 5.0
LONGEST_WAIT_S = 20.0


def spawn(
    program: Path,
    arguments: Sequence[str],
    user: User | None,
    descriptors: Sequence[int],
    log: IO[bytes],
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a PostgreSQL program that dies with the calling *thread*.

    PR_SET_PDEATHSIG fires when the thread that made the child ends, not only its process
    (prctl(2)): call this from the main thread or one that lives as long as the child shall.
    """
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    order = {
        "user": (user.uid, user.gid) if user else None,
        "parent": os.getpid(),
        # Immediate stop: bounded in time, and the next start replays the log.
        "death_signal": int(signal.SIGQUIT),
        "arguments": [str(program), *arguments],
        "environment": environment,
        "filter": program_of(LOCAL_FAMILIES).hex(),
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-S", embedded_child.__file__, json.dumps(order)],
        stdin=stdin,
        stdout=log,
        stderr=log,
        pass_fds=descriptors,
        # A Ctrl-C in the terminal is for the owner, which stops its children in order.
        start_new_session=True,
        cwd="/",
    )


def finish(
    program: Path, arguments: Sequence[str], user: User | None, folder: int, text: str
) -> str | None:
    """Run a PostgreSQL program on a folder to its end; return its last words if it failed."""
    with tempfile.TemporaryFile() as log:
        child = spawn(program, arguments, user, [folder], log, subprocess.PIPE)
        try:
            child.communicate(text.encode("ascii"))
        except BaseException:
            child.kill()
            child.wait()
            raise
        return tail(log) if child.returncode else None


def claim(folder: int, user: User | None) -> None:
    """Take the lock on the data folder, ending orphans of a killed server that hold it.

    Every process of a server inherits this descriptor, so the lock is free exactly when the last
    of them is gone, however they were killed.
    """
    started = time.monotonic()
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        waited_s = time.monotonic() - started
        if waited_s > LONGEST_WAIT_S:
            raise Unavailable(
                "Processes of an earlier PostgreSQL still use this region's database: "
                "end them and try again."
            )
        if waited_s > PATIENCE_S:
            # The caller owns the region, so a server that still runs has no owner left.
            signal_number = signal.SIGQUIT if waited_s < IMMEDIATE_STOP_S else signal.SIGKILL
            for pid in _processes(cluster_name(folder), user):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal_number)
        time.sleep(0.02)


def cluster_name(folder: int) -> str:
    """Return the name that the server's processes show, by which orphans are known."""
    # Device and inode: unique on the machine, and the same after the home was moved.
    state = os.fstat(folder)
    return f"reelm-{state.st_dev:x}-{state.st_ino:x}"


def _processes(name: str, user: User | None) -> Iterator[int]:
    # Titles, not /proc/*/cwd: reading that needs CAP_SYS_PTRACE, which containers lack.
    mine = user.uid if user else os.geteuid()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == mine:
                title = (entry / "cmdline").read_bytes()
                is_backend = title.startswith(f"postgres: {name}: ".encode())
                if is_backend or f"\0--cluster_name={name}\0".encode() in title:
                    yield int(entry.name)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Yield a descriptor of a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def descriptor_path(descriptor: int) -> str:
    """Return the path by which a process reaches a folder that it inherited."""
    return f"/proc/self/fd/{descriptor}"


def tail(log: IO[bytes]) -> str:
    """Return the last lines of a log, as the end of a sentence."""
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - 2000))
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return " ".join(line.strip() for line in lines[-3:])
