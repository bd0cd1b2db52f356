"""Becomes a PostgreSQL program: drops root, asks to die with its parent, then executes it.

It runs as a script of its own (`python -I -S embedded_child.py JSON`), because code between fork
and exec of a process with threads may deadlock, and because a change of user clears the wish to
die with the parent, which therefore must come after it.
"""

import json
import os
import resource
import sys
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/reelm/")[0])  # -I leaves it out

from reelm.foundation.egress import lock

# Replaced in the arguments by the path of a pipe that holds what came on stdin.
SECRET = "{secret}"  # noqa: S105  a placeholder, not a password


def become(order: dict[str, Any]) -> None:
    """Execute `order["arguments"]` as `order["user"]`, dying with process `order["parent"]`."""
    os.umask(0o077)
    # At exactly one byte nobody gets a dump of the shared buffers (egress/confined.py, NO_CORE).
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    if order["user"]:
        uid, gid = order["user"]
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    lock.prctl(lock.PDEATHSIG, order["death_signal"])
    # The parent may have died before the wish was made.
    if os.getppid() != order["parent"]:
        sys.exit("its owner has ended")
    # It listens on a socket file only, and so does whatever a superuser makes it run.
    lock.load_filter(bytes.fromhex(order["filter"]))
    arguments = [_with_secret(argument) for argument in order["arguments"]]
    os.execve(arguments[0], arguments, order["environment"])  # noqa: S606  no shell is wanted


def _with_secret(argument: str) -> str:
    if SECRET not in argument:
        return argument
    # Made after the change of user: /proc/self/fd opens a pipe only for the one who made it.
    reading, writing = os.pipe()
    os.write(writing, sys.stdin.buffer.read())
    os.close(writing)
    os.set_inheritable(reading, True)
    return argument.replace(SECRET, f"/proc/self/fd/{reading}")


if __name__ == "__main__":
    try:
        become(json.loads(sys.argv[1]))
    except OSError as error:
        sys.exit(f"cannot run PostgreSQL: {error}")
