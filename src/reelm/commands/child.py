"""The processes that `reelm serve` starts: web and worker. Not meant to be run by hand.

Each is locked down before this begins (foundation/egress/serving.py); a web process is handed the
listening socket by its number.
"""

import asyncio
import ctypes
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from granian import net
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from reelm import app
from reelm.audit import Integrating
from reelm.commands.listening import BACKLOG
from reelm.feed.tasks import FORGET_IDLE, KEEP_LOG
from reelm.foundation import logs
from reelm.foundation.config import Settings, load
from reelm.foundation.egress import hook, outside, state
from reelm.foundation.egress.confine import IS_SEEN
from reelm.foundation.egress.named import peers
from reelm.foundation.egress.serving import refuses_other_families
from reelm.foundation.egress.tally import Refusal, Tally
from reelm.foundation.jobs import defer, run_worker
from reelm.foundation.parts import Parts
from reelm.regions import audit_signer
from reelm.regions.egress import Recorder
from reelm.regions.tasks import LAPSE_ORDERS
from reelm.videos.tasks import SWEEP
from reelm.web.application import URGENT_THREADS, build

PR_SET_DUMPABLE = 4
# Requests that one web process answers at once; most of them are media on slow connections.
MOST_AT_ONCE = 8192
MOST_DESCRIPTORS = 16384
# Of each connection; Granian's own 408 KiB filled for each viewer with a slow one.
BUFFER_BYTES = 64 << 10
# An open stream or a running encode does not hold up the stop for longer.
GRACE_S = 3.0


def main(role: str, home: str, parent: str, listener: str = "") -> None:
    """Be a child of the supervisor `parent` until told to stop; `listener` is for the web."""
    if os.getppid() != int(parent):
        sys.exit("the supervisor has ended")
    # Memory holds keys and opened personal data: no dump, and no look at it by others of this user.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    logs.begin(role)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stop)
    settings = load(Path(home))
    _hold_egress(role, Path(home), settings)
    threads = settings.http.threads
    connections = threads + URGENT_THREADS + 2 if role == "web" else 8
    with app.join_region(Path(home), connections=connections) as parts:
        serve = _web(parts, stop, int(listener)) if role == "web" else _worker(parts, stop)
        loop.run_until_complete(serve)
    os._exit(0)  # threads may still hold a request or an encode; their work is resumable


def _hold_egress(role: str, home: Path, settings: Settings) -> None:
    """Begin layer a, and write down which layers hold here (docs/egress.md)."""
    named = peers(settings)
    tried = outside.try_outside() if outside.needs_rules(named) else ""
    tally = Tally(home)
    tally.start()
    hook.install(named, lambda kind, to: tally.count(Refusal(role, "a", kind, to)))
    held = state.Held(
        process=role,
        pid=os.getpid(),
        started_at=state.started_at(),
        hook=True,
        is_filtered=refuses_other_families(),
        is_local=not named,
        is_seen=IS_SEEN in os.environ,
        outside=tried,
    )
    state.write(home, held)


def _on_signal(stop: asyncio.Event) -> None:
    stop.set()
    timer = threading.Timer(GRACE_S, os._exit, [0])
    timer.daemon = True
    timer.start()


class _InheritedServer(Server):
    """Granian in this process, on a listening socket that the supervisor has bound."""

    def __init__(self, application: ASGIApp, descriptor: int) -> None:
        self._descriptor = descriptor
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            # HTTP/2 is for the proxy in front. Granian gathers a whole response for each of its
            # streams, however slowly it is fetched.
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            # Granian's own 128 let as many viewers with slow connections keep out all others.
            backpressure=MOST_AT_ONCE,
            http1_settings=HTTP1Settings(max_buffer_size=BUFFER_BYTES),
        )

    def _init_shared_socket(self) -> None:
        # What Granian's own processes hand to each other; its type stubs do not say so.
        holder: Any = net
        given: Any = self
        given._shd = holder.SocketHolder(self._descriptor, False, BACKLOG)  # noqa: SLF001
        given._sfd = self._descriptor  # noqa: SLF001
        given._ssp = None  # noqa: SLF001


async def _web(parts: Parts, stop: asyncio.Event, listener: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    server = _InheritedServer(build(parts), listener)
    serving = asyncio.ensure_future(server.serve())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=GRACE_S)


async def _worker(parts: Parts, stop: asyncio.Event) -> None:
    Integrating(parts, audit_signer).start()
    Recorder(parts).start()
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


if __name__ == "__main__":
    main(*sys.argv[1:])
