"""The processes that `reelm serve` starts: web and worker. Not meant to be run by hand.

Each is locked down before this begins (foundation/egress/serving.py); a web process is handed the
listening socket by its number. Where the region has gone, the notice is the only one.
"""

import asyncio
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path

from reelm import app
from reelm.audit import Integrating
from reelm.commands.web_server import GRACE_S, serve_http
from reelm.feed.tasks import FORGET_IDLE, KEEP_LOG
from reelm.foundation import logs
from reelm.foundation.config import Settings, load
from reelm.foundation.egress import hook, outside, state
from reelm.foundation.egress.confine import IS_SEEN
from reelm.foundation.egress.named import peers
from reelm.foundation.egress.serving import refuses_other_families
from reelm.foundation.egress.tally import Refusal, Tally
from reelm.foundation.home import Home
from reelm.foundation.jobs import defer, run_worker
from reelm.foundation.parts import Parts
from reelm.regions import audit_signer
from reelm.regions.egress import Recorder
from reelm.regions.tasks import LAPSE_ORDERS
from reelm.videos.tasks import SWEEP
from reelm.web import departed
from reelm.web.application import URGENT_THREADS, build

PR_SET_DUMPABLE = 4


def main(role: str, home: str, parent: str, listener: str = "") -> None:
    """Be a child of the supervisor `parent` until told to stop; the worker has no `listener`."""
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
    if role == "notice":
        # Nothing is written into a home that is wound down, not even what is refused here.
        hook.install((), lambda *_: None)
        application = departed.build(Home(Path(home)), settings)
        loop.run_until_complete(serve_http(application, stop, int(listener)))
        os._exit(0)
    _hold_egress(role, Path(home), settings)
    threads = settings.http.threads
    connections = threads + URGENT_THREADS + 2 if role == "web" else 8
    with app.join_region(Path(home), connections=connections) as parts:
        if role == "web":
            loop.run_until_complete(serve_http(build(parts), stop, int(listener)))
        else:
            loop.run_until_complete(_worker(parts, stop))
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
