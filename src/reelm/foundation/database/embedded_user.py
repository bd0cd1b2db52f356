"""Which user runs the embedded PostgreSQL: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from reelm.foundation.errors import Unavailable

SYSTEM_USER = "reelm-postgres"


@dataclass(frozen=True)
class User:
    """The user that root's PostgreSQL runs as."""

    uid: int
    gid: int


def cluster_user(data: Path) -> User | None:
    """Return the user to change to for the cluster in `data`, or None to stay who we are.

    Root runs an existing cluster as the one who owns it, and a new one as `reelm-postgres`.

    Raises:
        Unavailable: the cluster belongs to somebody else, or the user cannot be made.
    """
    state = data.stat() if data.exists() else None
    if os.geteuid() == 0:
        return User(state.st_uid, state.st_gid) if state and state.st_uid else _system_user()
    if state and state.st_uid != os.geteuid():
        raise Unavailable(
            f"The database in {data} belongs to the user {_name(state.st_uid)}: "
            "run Reelm as that user or as root."
        )
    return None


def give(descriptor: int, user: User | None) -> None:
    """Give a file or folder that was just made to `user`."""
    if user is not None:
        try:
            os.fchown(descriptor, user.uid, user.gid)
        except OSError as error:
            raise Unavailable(
                f"PostgreSQL refuses to run as root, and this root cannot change users ({error}): "
                "run Reelm as an ordinary user."
            ) from error


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _system_user() -> User:
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _make_system_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return User(entry.pw_uid, entry.pw_gid)


def _make_system_user() -> None:
    program = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    reason = "useradd is not installed"
    if program:
        order = [program, "--system", "--user-group", "--no-create-home"]
        order += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        made = subprocess.run(order, capture_output=True, text=True, check=False)
        reason = made.stderr.strip()
    try:
        # Another process may have made it at the same time.
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise Unavailable(
            f"PostgreSQL refuses to run as root, and its user {SYSTEM_USER} cannot be made "
            f"({reason}): make a system user of that name, or run Reelm as an ordinary user."
        ) from None
