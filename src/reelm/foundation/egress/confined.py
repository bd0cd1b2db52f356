"""How a parent starts a program locked down: the command line that confine.py takes."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from reelm.foundation.egress.filters import program

_SCRIPT = Path(__file__).with_name("confine.py")
# One byte: no dump is written, and none is handed to a program either, which at 0 one would be
# (man 5 core, "Piping core dumps to a program"; fs/coredump.c refuses at exactly 1).
NO_CORE = 1


class Landlock(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stays open, where the kernel has Landlock; without `read`, files are left alone."""

    read: Sequence[str] | None = None
    write: Sequence[str] = ()
    ports: Sequence[int] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is locked before the program begins."""

    families: tuple[int, ...] | None = None  # of sockets that may be made; None: no filter
    landlock: Landlock | None = None
    limits: Mapping[str, int] = {}  # RLIMIT_* by the rest of their names
    nice: int | None = None
    drops_capabilities: bool = False
    listener_to: int | None = None  # socket over which the filter's listener is handed


def confined(argv: Sequence[str], order: Order) -> list[str]:
    """Return the command line that starts `argv` as a child of this process, locked down."""
    words: dict[str, object] = {
        "parent": os.getpid(),
        "nice": order.nice,
        "limits": {"CORE": NO_CORE, **order.limits},
        "drops_capabilities": order.drops_capabilities,
    }
    if order.landlock is not None:
        words["landlock"] = order.landlock
    if order.families is not None:
        words["filter"] = program(order.families).hex()
        if order.listener_to is not None:
            words["listener_to"] = order.listener_to
            words["asking_filter"] = program(order.families, asks=True).hex()
    return [sys.executable, "-I", "-S", str(_SCRIPT), msgspec.json.encode(words).decode(), *argv]
