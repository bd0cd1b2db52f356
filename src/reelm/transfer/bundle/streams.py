"""Files as the library that encrypts wants them; each remembers what stopped it.

That library keeps the words of an exception and not its kind.
"""

import hashlib
from collections.abc import Callable
from typing import IO

READ_BYTES = 1 << 16

Sink = Callable[[bytes], object]


class Written:
    """A new file that knows the digest of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size_bytes = 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, and take it into the digest."""
        self.digest.update(data)
        self.size_bytes += len(data)
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def read(self, size: int = -1) -> bytes:
        """Refuse: the library asks for it and does not use it."""
        raise OSError(f"not for reading {size} bytes")

    def flush(self) -> None:
        """Give what is buffered to the system."""
        self._file.flush()


class Target:
    """A file that can only be written, and gives what is written to a function."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Give what is written to the function."""
        try:
            self._sink(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Refuse: the library asks for it and does not use it."""
        raise OSError(f"not for reading {size} bytes")

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


class Digested:
    """A file that is read, with the digest of all of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, and take them into the digest."""
        data = self._file.read(size)
        self.digest.update(data)
        return data

    def finish(self) -> None:
        """Read to the end."""
        while self.read(READ_BYTES):
            continue
