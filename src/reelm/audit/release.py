"""Log which release the region runs, when that has changed."""

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import reelm
from reelm.audit.reading import newest_entry
from reelm.audit.record import record

KIND = "region.release"
_LOCK = 0x7265656C6D0B  # "reelm" 11
# Made by Python itself, and different on each machine.
LEFT_OUT = ("__pycache__",)


def record_release(session: Session) -> bool:
    """Log version and digest of the installed code unless they are as last; return whether."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    running = {"version": reelm.__version__, "digest": code_digest()}
    last = newest_entry(session, KIND)
    if last is not None and last.body == running:
        return False
    record(session, KIND, **running)
    return True


@cache
def code_digest() -> str:
    """Return SHA-256 over the sorted lines `<SHA-256 of file>  <path>` of the installed package.

    `find reelm -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum | sha256sum`, run beside the package, gives the same.
    """
    package = resources.files(reelm)
    files = sorted(_files(package, "reelm"), key=lambda pair: pair[0].encode())
    total = hashlib.sha256()
    for path, file in files:
        total.update(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {path}\n".encode())
    return total.hexdigest()


def _files(folder: Traversable, path: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir() and entry.name not in LEFT_OUT:
            found += _files(entry, name)
        elif entry.is_file():
            found.append((name, entry))
    return found
