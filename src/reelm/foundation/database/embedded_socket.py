"""The folder of the embedded PostgreSQL's socket, which only its user (and root) can enter."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from reelm.foundation.database.embedded_user import User, give
from reelm.foundation.errors import Unavailable

PORT = 5432
# sun_path has 108 bytes, one of them for the final NUL (unix(7)).
LONGEST_SOCKET_BYTES = 107
PREFIX = "reelm-"


def make_socket_folder(home: Path, user: User | None) -> Path:
    """Return an empty private folder for the socket, and record it in the region home.

    It is in the home, except where that path is too long for a socket: then it is a new folder
    below /run or /tmp, and `postgres-socket` in the home is a symbolic link to it.
    """
    record = _record(home)
    uid = user.uid if user else os.geteuid()
    if _fits(record):
        forget_socket_folder(home, uid)
        record.mkdir(mode=0o700)
        _give_folder(record, user)
        return record
    folder = record.readlink() if record.is_symlink() else None
    if folder is None or not _is_private(folder, uid):
        forget_socket_folder(home, uid)
        folder = _short_folder(user)
        _write_record(record, folder)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (folder / name).unlink(missing_ok=True)
    return folder


def find_socket_folder(home: Path, uid: int) -> Path:
    """Return the folder where the server of user `uid` put its socket.

    Raises:
        Unavailable: the folder is not that user's, so another user may be listening.
    """
    record = _record(home)
    folder = record.readlink() if record.is_symlink() else record
    if not _is_private(folder, uid):
        raise Unavailable(f"The database's socket folder {folder} is not there or not private.")
    return folder


def forget_socket_folder(home: Path, uid: int) -> None:
    """Remove the socket folder of the server of user `uid`, wherever it is."""
    record = _record(home)
    if record.is_symlink():
        folder = record.readlink()
        # After a restart of the machine, another user may have taken its name.
        if folder.name.startswith(PREFIX) and _is_private(folder, uid):
            shutil.rmtree(folder)
        record.unlink()
    elif record.exists():
        shutil.rmtree(record)


def _record(home: Path) -> Path:
    return home / "postgres-socket"


def _fits(folder: Path) -> bool:
    # libpq reads a comma in `host` as a list of hosts.
    socket = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(socket) <= LONGEST_SOCKET_BYTES and b"," not in socket


def _is_private(folder: Path, uid: int) -> bool:
    try:
        state = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(state.st_mode) and state.st_uid == uid and not state.st_mode & 0o077


def _short_folder(user: User | None) -> Path:
    bases = ["/tmp"]  # noqa: S108  mkdtemp makes a private folder there
    if os.geteuid() == 0:
        # Services with a private /tmp and commands without one see the same /run.
        bases.insert(0, "/run")
    reasons = []
    for base in bases:
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        except OSError as error:
            reasons.append(str(error))
            continue
        _give_folder(folder, user)
        return folder
    raise Unavailable(
        "The region's path is too long for a socket, and a short folder for it cannot be made: "
        f"{'; '.join(reasons)}."
    )


def _give_folder(folder: Path, user: User | None) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        give(descriptor, user)
    finally:
        os.close(descriptor)


def _write_record(record: Path, folder: Path) -> None:
    part = record.with_name(f"{record.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    part.symlink_to(folder)
    part.replace(record)
