"""The command as a person runs it, and a region with a real video in it."""

import asyncio
import contextlib
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import msgspec
import psycopg
from tests.accounts.factory import signed_up
from tests.regions.factory import make_body, people
from tests.videos.factory import Clips

from reelm import app, cli, moderation, videos
from reelm.accounts.preservation_key import IDENTITY
from reelm.commands.backup.dump import ROWS_LEFT_OUT
from reelm.commands.contents import count_rows, named_objects
from reelm.foundation.config import load
from reelm.foundation.home import Home
from reelm.foundation.jobs import run_worker

HANDLE = "asha"


class Ran(msgspec.Struct, frozen=True):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    def json(self):
        return msgspec.json.decode(self.out)


def reelm(*arguments: object) -> Ran:
    """Run `reelm` with these arguments, from its entry point on."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    umask = os.umask(0o077)
    try:
        with (
            patch.object(sys, "argv", ["reelm", *map(str, arguments)]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            cli.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        os.umask(umask)
    return Ran(status, out.getvalue(), err.getvalue())


def make_region(path: Path, clips: Clips) -> None:
    """Make a region with one person who has posted one clip, and whose account is preserved."""
    made = reelm("init", path, "--jurisdiction", "neutral", "--operator", "Test Operator")
    assert made.status == 0, made.err
    with app.open_region(path) as parts:
        with parts.transaction() as session:
            account_id = signed_up(session, parts, handle=HANDLE).account_id
        draft = videos.Draft(caption="One #clip", audience="public")
        videos.import_file(parts, account_id=account_id, path=clips("mp4"), draft=draft)
        with parts.transaction() as session:
            order = make_body(session).order("preserve", targets=people(account_id))
            moderation.submit_order(session, parts, order)
        (path / "keys" / IDENTITY).rename(path.with_suffix(".age"))  # as docs/orders.md says
        asyncio.run(run_worker(parts, app.JOBS, queues=app.queues(parts.settings), until_idle=True))


@contextmanager
def serving(path: Path) -> Iterator[str]:
    """Serve a region as its operator does, on any port; yields address and port."""
    command = [str(Path(sys.executable).with_name("reelm")), "serve", "--region", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            found = re.search(r"http://([\d.]+:\d+)", line)
            assert found, line
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@contextmanager
def owner_of(path: Path) -> Iterator[psycopg.Connection]:
    """Connect to a region's database as its owner."""
    home = Home(path)
    with (
        app.owner_connection(home, load(path), None) as owner,
        psycopg.connect(owner, autocommit=True) as connection,
    ):
        yield connection


def contents(path: Path) -> tuple[dict[str, int], dict[str, int | None]]:
    """Return how many rows each table has that a backup saves, and the named objects."""
    with owner_of(path) as connection:
        rows = count_rows(connection, without=ROWS_LEFT_OUT)
        return rows, named_objects(connection, without=ROWS_LEFT_OUT)


def pieces(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    with contextlib.suppress(FileNotFoundError):
        return {
            str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
        }
    return {}
