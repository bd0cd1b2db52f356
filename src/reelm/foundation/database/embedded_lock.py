"""Lock files, and other files that the embedded PostgreSQL keeps in a region home."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from reelm.foundation.errors import Unavailable

OnWait = Callable[[str], None] | None
# A wait that is shorter goes unnoticed.
TELL_AFTER_S = 0.5


class Lock:
    """A lock file in the region home, which the kernel frees when its holder dies."""

    def __init__(self, home: Path, name: str) -> None:
        self._home = home
        self._path = home / name
        self._descriptor: int | None = None

    def take(
        self, kind: int, on_wait: OnWait = None, why: str = "", timeout_s: float | None = None
    ) -> bool:
        """Take the lock, shared or alone; say once why it takes long."""
        if self._descriptor is None:
            self._descriptor = open_own(self._home, self._path)
        started = time.monotonic()
        has_told = False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
                return True
            waited_s = time.monotonic() - started
            if timeout_s is not None and waited_s >= timeout_s:
                return False
            if on_wait is not None and not has_told and waited_s > TELL_AFTER_S:
                on_wait(why)
                has_told = True
            time.sleep(0.02)

    def sign(self) -> None:
        """Write who holds the lock, for messages."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def holder(self) -> str:
        """Return the process that signed last."""
        with contextlib.suppress(OSError):
            return self._path.read_text("ascii") or "?"
        return "?"

    def free(self) -> None:
        """Let go of the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def open_own(home: Path, path: Path, flags: int = 0) -> int:
    """Open a private file of the home for writing, making it if it is not there."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    except FileNotFoundError:
        raise Unavailable(f"There is no region in {home}: make one with `reelm init`.") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}.") from error
    give_to_owner_of(home, descriptor)
    return descriptor


def give_to_owner_of(home: Path, descriptor: int) -> None:
    """Give a file that was just made to the region home's owner, when root made it."""
    state = home.stat()
    if os.geteuid() == 0 and state.st_uid:
        os.fchown(descriptor, state.st_uid, state.st_gid)
