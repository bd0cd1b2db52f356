"""Destroy files and folders, so that it can be cut off anywhere and done again."""

import os
import shutil
from pathlib import Path

from reelm.foundation.durable import sync

CHUNK_BYTES = 1 << 20
OVERWRITTEN = (
    "overwritten with random bytes, flushed to the disk and removed; on a solid-state disk the old"
    " blocks may remain until the disk reuses them"
)
REMOVED = "removed from the file system; its blocks are free to be written over"


def destroy_secret(path: Path) -> None:
    """Overwrite a file in its place, then remove it; one that is not there is no error."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        left = os.fstat(descriptor).st_size
        while left > 0:
            left -= os.write(descriptor, os.urandom(min(left, CHUNK_BYTES)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync(path.parent)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it; one that is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    sync(path.parent)


def amount(path: Path) -> tuple[int, int]:
    """Return how many files lie at a path, and their bytes."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return len(files), sum(one.lstat().st_size for one in files)
