"""Files that are on the disk, whole or not at all, before anything relies on them."""

import contextlib
import errno
import os
from pathlib import Path

from reelm.foundation.errors import Unavailable

# The disk, the quota, or how large one file may be.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it has its old bytes or its new ones.

    Raises:
        Unavailable: there is no room for it; the old file stays.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if error.errno not in FULL:
            raise
        raise Unavailable(
            f"There is no room left in {path.parent}: make some and begin again."
        ) from None
    part.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
