"""The processes that `reelm serve` starts: web and worker. Not meant to be run by hand."""

import asyncio
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from reelm import app
from reelm.feed.tasks import FORGET_IDLE, KEEP_LOG
from reelm.foundation import logs
from reelm.foundation.config import load
from reelm.foundation.jobs import defer, run_worker
from reelm.foundation.parts import Parts
from reelm.regions.tasks import LAPSE_ORDERS
from reelm.videos.tasks import SWEEP
from reelm.web.application import build

PR_SET_PDEATHSIG = 1
# An open stream or a running encode does not hold up the stop for longer.
GRACE_S = 3.0


def main(role: str, home: str, parent: str) -> None:
    """Be a child of the supervisor `parent` until told to stop."""
    _die_with(int(parent))
    logs.begin(role)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stop)
    threads = load(Path(home)).http.threads
    connections = threads + 2 if role == "web" else 8
    with app.join_region(Path(home), connections=connections) as parts:
        serve = _web(parts, stop) if role == "web" else _worker(parts, stop)
        loop.run_until_complete(serve)
    os._exit(0)  # threads may still hold a request or an encode; their work is resumable


def _on_signal(stop: asyncio.Event) -> None:
    stop.set()
    timer = threading.Timer(GRACE_S, os._exit, [0])
    timer.daemon = True
    timer.start()


async def _web(parts: Parts, stop: asyncio.Event) -> None:
    http = parts.settings.http
    server = Server(
        build(parts),
        address=http.address,
        port=http.port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.ensure_future(server.serve())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=GRACE_S)


async def _worker(parts: Parts, stop: asyncio.Event) -> None:
    with parts.transaction() as session:
        # What a killed worker left lying about goes now, not at the next full hour.
        for task in (LAPSE_ORDERS, SWEEP, KEEP_LOG, FORGET_IDLE):
            defer(session, task)
    working = asyncio.ensure_future(
        run_worker(parts, app.JOBS, queues=app.queues(parts.settings), periodic=app.PERIODIC)
    )
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        working.result()  # the supervisor starts another
    working.cancel()
    await asyncio.wait({working}, timeout=GRACE_S)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the supervisor has ended")


if __name__ == "__main__":
    main(*sys.argv[1:])
