"""The cluster on disk: making it, checking it, starting it, and its superuser's password."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from reelm.foundation.database.embedded_binaries import Version, server_binaries
from reelm.foundation.database.embedded_child import SECRET
from reelm.foundation.database.embedded_lock import give_to_owner_of
from reelm.foundation.database.embedded_process import (
    claim,
    cluster_name,
    descriptor_path,
    finish,
    opened,
    spawn,
)
from reelm.foundation.database.embedded_user import cluster_user, give
from reelm.foundation.errors import Invalid, Unavailable

SUPERUSER = "postgres"
PASSWORD_FILE = "postgres-superuser"  # noqa: S105  a file's name

# The built-in provider gives the same order and case on every machine; PostgreSQL 16 has none yet.
LOCALES = {
    "18": ("--locale=C", "--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST"),
    "16": ("--locale=C.UTF-8", "--locale-provider=libc"),
}
# Written into postgresql.conf when the cluster is made, so an operator can change them there.
TUNABLE = {
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "min_wal_size": "32MB",
    "max_worker_processes": "4",
    "max_wal_senders": "2",
    "autovacuum_max_workers": "2",
    # Parallel queries take their memory from /dev/shm, which is 64 MB in a Docker container.
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
}
# Reading by the backends themselves saves three I/O processes, new in 18.
TUNABLE_18 = {"io_method": "sync"}
# Given at each start: what the rest of Reelm relies upon.
FIXED = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and failed rows hold personal data; the application reports its errors itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
}


def data_folder(home: Path) -> Path:
    """Return the folder of the cluster's data."""
    return home / "postgres"


def password(home: Path) -> str | None:
    """Return the superuser's password, or None where there is no key file."""
    path = home / "keys" / PASSWORD_FILE
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unavailable(f"The key file {path} cannot be read: {error}.") from error
    if not text.isprintable() or not text:
        raise Invalid(f"The key file {path} must hold one line of printable text.")
    return text


def ensure(home: Path, version: Version) -> None:
    """Make the cluster if there is none, mending what a killed attempt left.

    Raises:
        Unavailable: it is another version's, somebody else's, or cannot be made.
    """
    data = data_folder(home)
    _sweep(home)
    if (data / "PG_VERSION").is_file():
        _check_version(data, version)
        if password(home) is None:
            _renew_password(home, version)
        return
    if data.is_dir() and any(data.iterdir()):
        raise Unavailable(f"{data} is not a PostgreSQL cluster: move it away or restore it.")
    _make(home, version)


def _sweep(home: Path) -> None:
    for litter in home.glob("postgres.new-*"):
        # Litter of another user stays: it is in nobody's way.
        with contextlib.suppress(OSError), opened(litter) as folder:
            # The killed attempt's own children may be writing for a moment longer.
            claim(folder, None)
            shutil.rmtree(litter)


def _check_version(data: Path, version: Version) -> None:
    found = (data / "PG_VERSION").read_text("ascii").strip()
    if found != version:
        raise Unavailable(
            f"The database in {data} was made by PostgreSQL {found}, and this is PostgreSQL "
            f"{version}: make a backup with version {found} (`reelm backup`) and restore it into "
            "a new region folder (`reelm restore`)."
        )


def _make(home: Path, version: Version) -> None:
    user = cluster_user(data_folder(home))
    secret = password(home) or _write_password(home, _new_password())
    settings = TUNABLE | (TUNABLE_18 if version == "18" else {})
    # Renamed when complete: a home never holds half a cluster.
    part = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=home))
    with opened(part) as folder:
        give(folder, user)
        claim(folder, user)
        arguments = [f"--pgdata={descriptor_path(folder)}", f"--username={SUPERUSER}"]
        arguments += [f"--pwfile={SECRET}", "--encoding=UTF8", "--data-checksums"]
        arguments += ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256"]
        arguments += [*LOCALES[version], "--text-search-config=simple"]
        arguments += [f"--set={name}={value}" for name, value in settings.items()]
        program = server_binaries(version, user) / "initdb"
        words = finish(program, arguments, user, folder, secret)
    if words is not None:
        shutil.rmtree(part, ignore_errors=True)
        raise Unavailable(f"The database could not be made: {words}")
    _publish(part, data_folder(home))


def _publish(part: Path, data: Path) -> None:
    try:
        part.rename(data)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise Unavailable(f"The database could not be put at {data}: {error}.") from error
    with opened(data.parent) as home:
        os.fsync(home)


def _new_password() -> str:
    return secrets.token_urlsafe(32)


def _write_password(home: Path, text: str) -> str:
    keys = home / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=f".{PASSWORD_FILE}-", dir=keys)
    with os.fdopen(descriptor, "w") as file:
        give_to_owner_of(home, descriptor)
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
    Path(part).replace(keys / PASSWORD_FILE)
    return text


def _renew_password(home: Path, version: Version) -> None:
    """Give the superuser a new password where the key file was lost."""
    data = data_folder(home)
    user = cluster_user(data)
    secret = _new_password()
    with opened(data) as folder:
        claim(folder, user)
        arguments = ["--single", "-D", descriptor_path(folder), SUPERUSER]
        program = server_binaries(version, user) / "postgres"
        command = f"ALTER ROLE {SUPERUSER} PASSWORD '{secret}'\n"
        words = finish(program, arguments, user, folder, command)
        if words is not None:
            raise Unavailable(f"The superuser's password could not be renewed: {words}")
    _write_password(home, secret)


def serve(home: Path, version: Version, sockets: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `postgres` on the cluster, once no process of an earlier start lives.

    The folders are handed over as open descriptors: its user need not be able to walk to them, so
    a region may lie below a closed folder such as /root without any mode being changed.
    """
    data = data_folder(home)
    user = cluster_user(data)
    with opened(data) as folder, opened(sockets) as socket:
        claim(folder, user)
        # The lock proves that its process is gone, even if another has its number by now.
        (data / "postmaster.pid").unlink(missing_ok=True)
        settings = FIXED | {
            "unix_socket_directories": descriptor_path(socket),
            "cluster_name": cluster_name(folder),
        }
        arguments = ["-D", descriptor_path(folder)]
        arguments += [f"--{name}={value}" for name, value in settings.items()]
        program = server_binaries(version, user) / "postgres"
        return spawn(program, arguments, user, [folder, socket], log)
