"""Lock this process down, then become the given program.

Run as a script, never imported: `python -I -S confine.py '{"parent": …}' program arguments…`. It is
a program of its own because a server with threads must not run Python between fork and exec, and
because what is locked before a program begins holds for each of its threads. Whatever cannot be
locked ends the child before it has read a byte of the upload; Landlock alone is optional, as older
kernels lack it or parts of it.
"""

import json
import os
import resource
import signal
import sys
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/reelm/")[0])  # -I leaves it out

from reelm.foundation.egress import lock

# Tells the program that somebody sees what its filter refuses.
IS_SEEN = "REELM_EGRESS_IS_SEEN"


def main() -> None:
    """Apply the order given as JSON and replace this process by the program."""
    order = json.loads(sys.argv[1])
    program = sys.argv[2:]
    _die_with(order["parent"])
    _limit(order["limits"], order.get("nice"))
    if order.get("drops_capabilities"):
        lock.drop_capabilities()
    if "landlock" in order:
        lock.restrict(**order["landlock"])
    if "filter" in order:
        _filter(order)
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them; its successor must not
        signal.signal(ignored, signal.SIG_DFL)
    os.execv(program[0], program)  # noqa: S606 - a shell is what it must not be


def _die_with(parent: int) -> None:
    lock.prctl(lock.PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def _limit(limits: dict[str, int], nice: int | None) -> None:
    if nice is not None:
        _yield_to_others(nice)
    os.umask(0o077)
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # SIGXCPU a little before the kill, so that the parent can tell why the child ended.
        soft = max(allowed - 1, 1) if name == "CPU" else allowed
        resource.setrlimit(kind, (soft, allowed))


def _yield_to_others(nice: int) -> None:
    """Lower the priority; also of the session, as with autogroups nice counts only inside one.

    This child has a session of its own, so without it a ladder at nice 10 takes as much of the
    processor as the web and the database together (man 7 sched, "The autogroup feature").
    """
    level = os.nice(nice)
    try:
        with open("/proc/self/autogroup", "w") as autogroup:  # noqa: PTH123 - starts faster
            autogroup.write(str(level))
    except OSError:
        return  # the kernel has none


def _filter(order: dict[str, Any]) -> None:
    """Load the filter; where somebody wants to see its refusals, hand over its listener."""
    if "listener_to" in order:
        import socket  # noqa: PLC0415 - most children need none, and it takes its time

        listener = lock.load_filter_with_listener(bytes.fromhex(order["asking_filter"]))
        with socket.socket(fileno=order["listener_to"]) as supervisor:
            if listener is not None:
                socket.send_fds(supervisor, [b"l"], [listener])
                os.close(listener)
                os.environ[IS_SEEN] = "1"
                return
    lock.load_filter(bytes.fromhex(order["filter"]))


if __name__ == "__main__":
    main()
