"""Run `reelm` with these arguments, and be killed at a place: python killed.py PLACE NUMBER ...

PLACE is where; NUMBER is at which time there, from 1 on.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelm import cli
from reelm.foundation.storage import ObjectStore
from reelm.transfer.wind_down import database, end_copies, keys
from reelm.transfer.wind_down.destroy import destroy_secret, remove
from reelm.transfer.wind_down.journal import Journal


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(number: int, plain: Callable[..., Any], first: Callable[..., Any] | None = None) -> Any:
    """Do as `plain` does, and at the given time die before it, or after a part of it."""
    times = 0

    def act(*given: Any, **named: Any) -> Any:
        nonlocal times
        times += 1
        if times == number:
            if first is not None:
                first(*given, **named)
            die()
        return plain(*given, **named)

    return act


def tear(journal: Journal, kind: str, /, **_: Any) -> None:
    """Write the beginning of a line."""
    os.write(journal._descriptor, b'{"at":"2026-11-23T11:00:00Z","facts":{"' + kind.encode())


def remove_half(path: Path) -> None:
    """Remove some of a folder."""
    for child in sorted(path.iterdir())[::2]:
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()


def main(place: str, number: int) -> None:
    if place == "line":
        Journal.append = dying(number, Journal.append)  # type: ignore[method-assign]
    elif place == "torn line":
        Journal.append = dying(number, Journal.append, tear)  # type: ignore[method-assign]
    elif place == "object":
        ObjectStore.delete = dying(number, ObjectStore.delete)  # type: ignore[method-assign]
    elif place == "key":
        vars(keys)["destroy_secret"] = dying(number, destroy_secret)
    elif place == "backup's key":
        vars(end_copies)["destroy_secret"] = dying(number, destroy_secret)
    elif place == "backup":
        last = dying(number, remove, remove_half)
        vars(end_copies)["remove"] = lambda path: (last if path.name == "saved" else remove)(path)
    elif place == "cluster":
        vars(database)["remove"] = dying(number, remove, remove_half)
    cli.main()


if __name__ == "__main__":
    place, number = sys.argv[1:3]
    del sys.argv[1:3]
    main(place, int(number))
