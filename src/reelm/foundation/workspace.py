"""A folder for the temporary files of one job, gone with the job however it ends.

The folder is locked (flock) while its job lives, so that the sweeper can tell what a killed worker
left behind: the kernel lets go of a dead process's locks.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelm.foundation.home import Home

# Between the making of a folder and its lock lie microseconds.
_YOUNG_S = 60


@contextmanager
def workspace(home: Home, label: str) -> Iterator[Path]:
    """Yield a new empty folder."""
    folder = Path(tempfile.mkdtemp(prefix=f"{label}-", dir=home.work))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep_workspaces(home: Home) -> int:
    """Remove the folders of jobs that are no more; return how many.

    Those of jobs have a dash in their names; the notes of a seal have none, and wait for the next.
    """
    removed = 0
    for folder in home.work.glob("*-*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _is_abandoned(folder: Path) -> bool:
    try:
        if time.time() - folder.stat().st_mtime < _YOUNG_S or not folder.is_dir():
            return False
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
