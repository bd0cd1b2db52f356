"""Run a media parser in a child that can reach nothing but the upload it was handed.

The child gets limits on CPU, memory, file size and wall-clock time, no sockets of any kind, no
files but system libraries and its work folder, an empty environment, and dies with us
(foundation/egress/confine.py).
"""

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import imageio_ffmpeg
import msgspec

from reelm.foundation.egress.confined import Landlock, Order, confined
from reelm.foundation.errors import Invalid, Unavailable

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")
_STDERR_KEPT = 16 * 1024
_GIB = 1024**3


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one child may use."""

    wall_s: float = 60.0
    cpu_s: int = 60
    # Measured: the ladder of a 4K 10-bit HDR clip maps 1.4 GiB on 2 cores; more cores map more.
    memory_bytes: int = 6 * _GIB
    file_bytes: int = 4 * _GIB
    output_bytes: int = 16 * 1024**2
    nice: int = 5


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a child ended."""

    returncode: int
    output: bytes
    errors: str
    timed_out: bool
    cpu_s: float
    max_rss_bytes: int

    @property
    def ok(self) -> bool:
        """Whether the program said that all went well."""
        return self.returncode == 0 and not self.timed_out

    @property
    def overran(self) -> str | None:
        """Which limit ended the child, in words, if one did."""
        if self.timed_out or self.returncode == -signal.SIGXCPU:
            return "it takes too long to process"
        if self.returncode == -signal.SIGXFSZ or "File too large" in self.errors:
            return "it grows too large when processed"
        if "Cannot allocate memory" in self.errors or "MemoryError" in self.errors:
            return "it needs too much memory to process"
        return None


def run(
    argv: Sequence[str],
    *,
    work: Path,
    inputs: Sequence[int] = (),
    read: Sequence[Path] = (),
    bounds: Bounds | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a program confined to `work` and wait for its end; nothing of it outlives the call.

    `inputs` are descriptors it keeps under their numbers; `read` are more trees it may read. Lines
    of its standard output go to `on_line`, or else are gathered up to `bounds.output_bytes`.
    """
    bounds = bounds or Bounds()
    process = _start(argv, work, inputs, read, bounds)
    try:
        output, errors, timed_out = _listen(process, bounds, on_line)
    finally:
        # Not reaped yet, so the number is still ours: what is left of the group ends with it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Outcome(
        returncode=process.returncode,
        output=output,
        errors=errors,
        timed_out=timed_out,
        cpu_s=used.ru_utime + used.ru_stime,
        max_rss_bytes=used.ru_maxrss * 1024,
    )


def _start(
    argv: Sequence[str], work: Path, inputs: Sequence[int], read: Sequence[Path], bounds: Bounds
) -> subprocess.Popen[bytes]:
    order = Order(
        families=(),
        nice=bounds.nice,
        limits={
            "NOFILE": 64,
            "CPU": bounds.cpu_s,
            "FSIZE": bounds.file_bytes,
            "AS": bounds.memory_bytes,
        },
        landlock=Landlock(read=[*_SYSTEM, argv[0], *map(str, read)], write=[str(work)]),
    )
    return subprocess.Popen(
        confined(argv, order),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=work,
        env={"LC_ALL": "C", "MALLOC_ARENA_MAX": "2"},  # fewer arenas: less mapped per thread
        pass_fds=tuple(inputs),
        start_new_session=True,
    )


def _listen(
    process: subprocess.Popen[bytes], bounds: Bounds, on_line: Callable[[str], None] | None
) -> tuple[bytes, str, bool]:
    """Read both pipes until they are closed and the child has ended, or the time is over."""
    assert process.stdout is not None  # noqa: S101 - both were asked for as pipes
    assert process.stderr is not None  # noqa: S101
    deadline = time.monotonic() + bounds.wall_s
    gathered, errors = bytearray(), bytearray()
    ended = os.pidfd_open(process.pid)
    with process.stdout as out, process.stderr as err, selectors.DefaultSelector() as selector:
        for source in (out, err, ended):
            selector.register(source, selectors.EVENT_READ)
        try:
            while selector.get_map():
                left = deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if not ready:
                    return bytes(gathered), _text(errors), True
                for key, _ in ready:
                    data = b"" if key.fileobj is ended else os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is err:
                        errors = (errors + data)[-_STDERR_KEPT:]
                    else:
                        gathered += data
                        if on_line:
                            *lines, gathered = gathered.split(b"\n")
                            for line in lines:
                                on_line(_text(line))
                        del gathered[bounds.output_bytes :]
        finally:
            os.close(ended)
    return bytes(gathered), _text(errors), False


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "replace")


def ffmpeg_path(configured: str | None = None) -> str:
    """Return the ffmpeg binary to use: the configured one, or the one installed with us."""
    if configured is None:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    found = shutil.which(configured)
    if found is None:
        raise Unavailable(f"There is no ffmpeg at {configured}: correct the setting `ffmpeg`.")
    return str(Path(found).resolve())


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open an upload for reading and hand out its descriptor; links are not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Invalid(f"The file cannot be read: {error.strerror}.") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
