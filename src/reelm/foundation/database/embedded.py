"""The embedded PostgreSQL of a region, for every process that uses the region.

Two lock files in the home say who is who. `postgres-owner.lock` is held by the one process that
runs the server as its child, and dies with it. `postgres.lock` is held shared by each process that
uses the server; the owner waits until it can hold it alone, and then stops the server. A third
lock, on the data folder itself, is held by the server's own processes (embedded_cluster.claim).
The kernel frees each when its holder dies, however it dies.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from reelm.foundation.database import embedded_cluster as cluster
from reelm.foundation.database.embedded_binaries import Version, binaries
from reelm.foundation.database.embedded_lock import Lock, OnWait, open_own
from reelm.foundation.database.embedded_process import tail
from reelm.foundation.database.embedded_socket import (
    PORT,
    find_socket_folder,
    forget_socket_folder,
    make_socket_folder,
)
from reelm.foundation.database.embedded_user import cluster_user
from reelm.foundation.errors import Unavailable

__all__ = ["EmbeddedPostgres", "Server", "Version", "binaries", "forget", "running"]

DATABASE = "reelm"
LONGEST_LOG_BYTES = 8 << 20
# Making a cluster takes a second, replaying a full log (max_wal_size) some seconds on a slow disk.
LONGEST_START_S = 120.0


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that answers."""

    socket_folder: Path
    port: int
    superuser: str
    password: str = field(repr=False)
    database: str

    def conninfo(self, user: str | None = None, password: str | None = None) -> str:
        """Return a libpq connection string for `user`, or for the superuser."""
        return make_conninfo(
            host=str(self.socket_folder),
            port=self.port,
            dbname=self.database,
            user=user or self.superuser,
            password=password if user else self.password,
        )


@contextmanager
def running(home: Path, *, version: Version = "18", on_wait: OnWait = None) -> Iterator[Server]:
    """Use the region's embedded PostgreSQL, starting it if no process runs it.

    A process that started it keeps it until the last other one ends, and says so by `on_wait`. It
    must be called from a thread that lives as long as the server shall (embedded_cluster.spawn).

    Raises:
        Unavailable: it cannot be started; the sentence says why.
    """
    postgres = EmbeddedPostgres(home, version)
    try:
        yield postgres.use(on_wait=on_wait)
    finally:
        postgres.leave(on_wait=on_wait)


def forget(home: Path) -> None:
    """Remove what the region keeps outside of its home: a socket folder, if its path is long.

    To be called before the home itself is removed.

    Raises:
        Unavailable: the region is in use.
    """
    postgres = EmbeddedPostgres(home)
    try:
        if not postgres.try_own():
            raise Unavailable(f"The database of {home} is in use: stop it first.")
        data = cluster.data_folder(postgres.home)
        uid = data.stat().st_uid if data.exists() else os.geteuid()
        forget_socket_folder(postgres.home, uid)
    finally:
        postgres.leave()


class EmbeddedPostgres:
    """One process's part in the region's server: its owner, or one of its users.

    A supervisor calls `own`, `ensure_cluster`, `start` and `wait_ready`; `start` and `wait_ready`
    again when the process that `start` returned has ended; and `leave`.
    """

    def __init__(self, home: Path, version: Version = "18") -> None:
        # Every process must come to the same length of socket path.
        self.home = Path(os.path.realpath(home))
        self.version = version
        self.process: subprocess.Popen[bytes] | None = None
        self._users = Lock(self.home, "postgres.lock")
        self._owner = Lock(self.home, "postgres-owner.lock")

    def use(self, *, timeout_s: float = LONGEST_START_S, on_wait: OnWait = None) -> Server:
        """Join the server that another process runs, or own and start it."""
        # Held alone by an owner that is just stopping.
        self._users.take(fcntl.LOCK_SH, on_wait, "Waiting for the region's database to stop.")
        end = time.monotonic() + timeout_s
        while not self.try_own():
            try:
                return self._connect()
            except (psycopg.OperationalError, Unavailable) as error:
                if time.monotonic() > end:
                    raise Unavailable(
                        f"The region's database, run by process {self._owner.holder()}, does "
                        f"not answer: {error}"
                    ) from error
            time.sleep(0.02)
        self.ensure_cluster()
        self.start()
        return self.wait_ready(timeout_s)

    def own(self, *, timeout_s: float | None = None, on_wait: OnWait = None) -> None:
        """Become the one process that runs the server, waiting for the present one to end.

        Raises:
            Unavailable: it did not end within `timeout_s`.
        """
        why = f"Waiting for process {self._owner.holder()}, which runs the region's database."
        if not self._owner.take(fcntl.LOCK_EX, on_wait, why, timeout_s):
            raise Unavailable(
                f"The region's database is run by process {self._owner.holder()}: stop it first."
            )
        self._owner.sign()
        self._users.take(fcntl.LOCK_SH)

    def try_own(self) -> bool:
        """Become the one process that runs the server, if there is none."""
        owns = self._owner.take(fcntl.LOCK_EX, timeout_s=0)
        if owns:
            self._owner.sign()
        return owns

    def ensure_cluster(self) -> None:
        """Make the cluster if there is none; only its owner may."""
        cluster.ensure(self.home, self.version)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server as a child of this thread, after any death; only its owner may."""
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.rotate_log()
        user = cluster_user(cluster.data_folder(self.home))
        sockets = make_socket_folder(self.home, user)
        with self._open_log() as log:
            self.process = cluster.serve(self.home, self.version, sockets, log)
        return self.process

    def wait_ready(self, timeout_s: float = LONGEST_START_S) -> Server:
        """Wait until the server that this process started answers.

        Raises:
            Unavailable: it ended or did not answer in time, with its own last words.
        """
        end = time.monotonic() + timeout_s
        while True:
            try:
                return self._connect()
            except psycopg.OperationalError as error:
                self._explain(error, is_late=time.monotonic() > end)
            time.sleep(0.01)

    def wait_for_users(self, timeout_s: float | None = None, on_wait: OnWait = None) -> bool:
        """Wait until no other process uses the server, and keep new ones waiting."""
        why = "Other processes still use the region's database: it stops when they have ended."
        return self._users.take(fcntl.LOCK_EX, on_wait, why, timeout_s)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop the server: a clean stop, an immediate one after `timeout_s`, then by force."""
        process, self.process = self.process, None
        if process is None:
            return
        # PostgreSQL itself kills its children five seconds into an immediate stop.
        for number, wait_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, 7.0)):
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait_s)
                return
        process.kill()
        process.wait()

    def leave(
        self,
        *,
        users_timeout_s: float | None = None,
        stop_timeout_s: float = 10.0,
        on_wait: OnWait = None,
    ) -> None:
        """End this process's use; its owner first waits for the others and stops the server."""
        try:
            if self.process is not None:
                self.wait_for_users(users_timeout_s, on_wait)
        finally:
            try:
                self.stop(stop_timeout_s)
            finally:
                self._owner.free()
                self._users.free()

    def rotate_log(self) -> None:
        """Keep the last 8 MiB of the server's log as `postgres.log.1`, once it is longer."""
        path = self._log_path
        if path.exists() and path.stat().st_size > LONGEST_LOG_BYTES:
            with path.open("r+b") as log:
                log.seek(-LONGEST_LOG_BYTES, os.SEEK_END)
                kept = open_own(self.home, path.with_name("postgres.log.1"), os.O_TRUNC)
                with os.fdopen(kept, "wb") as file:
                    file.write(log.read())
                # The server goes on appending to the same file.
                log.truncate(0)

    def _connect(self) -> Server:
        secret = cluster.password(self.home)
        if secret is None:
            raise Unavailable(
                f"{self.home / 'keys' / cluster.PASSWORD_FILE} is missing: stop the process that "
                "runs the region's database and start it again, and a new one is made."
            )
        data = cluster.data_folder(self.home)
        if not data.exists():
            raise Unavailable("The region's database is not made yet.")
        folder = find_socket_folder(self.home, data.stat().st_uid)
        server = Server(folder, PORT, cluster.SUPERUSER, secret, DATABASE)
        psycopg.connect(server.conninfo(), connect_timeout=10).close()
        return server

    def _explain(self, error: psycopg.OperationalError, *, is_late: bool) -> None:
        """Do what a failed connection asks for: nothing, a new database, or giving up."""
        reason = str(error)
        if f'database "{DATABASE}" does not exist' in reason:
            self._create_database()
        elif "password authentication failed" in reason:
            key = self.home / "keys" / cluster.PASSWORD_FILE
            raise Unavailable(
                f"The password in {key} is not the database's: put the right one back, or delete "
                "the file and start again, and a new one is made."
            ) from error
        elif self.process is None or self.process.poll() is not None or is_late:
            with self._open_log() as log:
                words = tail(log)
            raise Unavailable(f"The database did not start: {words} ({self._log_path})") from error

    def _create_database(self) -> None:
        secret = cluster.password(self.home) or ""
        folder = find_socket_folder(self.home, cluster.data_folder(self.home).stat().st_uid)
        template = Server(folder, PORT, cluster.SUPERUSER, secret, "postgres")
        with psycopg.connect(template.conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    @property
    def _log_path(self) -> Path:
        return self.home / "logs" / "postgres.log"

    def _open_log(self) -> IO[bytes]:
        self._log_path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = open_own(self.home, self._log_path, os.O_APPEND)
        return os.fdopen(descriptor, "a+b")
