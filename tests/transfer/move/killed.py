"""Run `reelm` in a process of its own that kills itself at its n-th statement, commit or rename.

Processes are forked by one that has everything loaded: to start Python takes longer than a step.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from reelm import cli

LOADED = [
    "tests.transfer.move.killed", "reelm.app", "reelm.commands.transfer.move",
    "reelm.commands.transfer.region", "securesystemslib.dsse", "securesystemslib.signer",
    "typer._adapters", "pydantic.types", "pydantic.json_schema",
]  # fmt: skip
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(LOADED)
# What a point is called when it is about to happen, and when it has.
COMMIT, COMMITTED, RENAME, RENAMED, SYNC = "commit", "committed", "rename", "renamed", "fsync"


class Ended:
    """How a process ended, at which points it was on its way, and what it said."""

    def __init__(self, status: int, points: list[str], said: str) -> None:
        self.status, self.points, self.said = status, points, said

    @property
    def is_killed(self) -> bool:
        return self.status == -signal.SIGKILL


def run(url: str, *arguments: object, at: int = 0, most_bytes: int = -1) -> Ended:
    """Run a command on the database at `url`, killed at a point; 0: at none.

    Args:
        url: the setting `database.url`.
        arguments: those of `reelm`.
        at: which point, from 1 on.
        most_bytes: no file may grow larger; the system refuses it as it refuses to fill a disk.
    """
    mine, its = _forking.Pipe(duplex=False)
    words = [str(one) for one in arguments]
    child = _forking.Process(target=_child, args=(its, url, words, at, most_bytes))
    child.start()
    its.close()
    points, said = list[str](), ""
    with contextlib.suppress(EOFError):
        points, said = mine.recv()
    child.join()
    mine.close()
    assert child.exitcode is not None
    return Ended(child.exitcode, points, said)


def _child(pipe: Connection, url: str, words: list[str], at: int, most_bytes: int) -> None:
    os.environ["REELM_DATABASE_URL"] = url
    points: list[str] = []
    _count(points, at)
    if most_bytes >= 0:
        _fill_disk(most_bytes)
    said = os.memfd_create("said")
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["reelm", *words]
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    pipe.send((points, os.pread(said, 1 << 20, 0).decode()))
    sys.exit(status)


def _fill_disk(most_bytes: int) -> None:
    import resource  # noqa: PLC0415

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def _count(points: list[str], at: int) -> None:
    """Note each point of this process, and be killed at one of them."""

    def reached(point: str) -> None:
        points.append(point)
        if len(points) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(owner: Any, name: str, before: str, after: str = "") -> None:
        plain: Callable[..., Any] = getattr(owner, name)

        def act(*given: Any, **named: Any) -> Any:
            reached(before or str(given[1])[:60])
            found = plain(*given, **named)
            if after:
                reached(after)
            return found

        setattr(owner, name, act)

    wrapped(psycopg.Cursor, "execute", "")
    wrapped(psycopg.Cursor, "copy", "copy")
    wrapped(psycopg.Connection, "commit", COMMIT, COMMITTED)
    wrapped(os, "replace", RENAME, RENAMED)
    wrapped(os, "fsync", SYNC)
