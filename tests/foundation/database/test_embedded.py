"""The embedded PostgreSQL, with its real programs, killed in every way."""

import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.foundation.database.embedded_region import IS_ROOT, ask, processes, until

from reelm.foundation.database import embedded
from reelm.foundation.database.embedded import EmbeddedPostgres, Server, forget, running
from reelm.foundation.errors import Unavailable


def test_a_new_region_gets_a_cluster_that_answers(bare_home: Path) -> None:
    bare_home.chmod(0o750)
    with running(bare_home) as server:
        assert ask(server, "SHOW data_checksums") == ("on",)
        assert ask(server, "SHOW listen_addresses") == ("",)
        assert ask(server, "SHOW server_version_num")[0].startswith("18")
        assert ask(server, "SELECT lower('ÀÉß'), 'a' < 'B' COLLATE \"C\"") == ("àéß", False)
        locale = "SELECT datlocale FROM pg_database WHERE datname = current_database()"
        assert ask(server, locale) == ("PG_UNICODE_FAST",)
        for folder in ("postgres", "postgres-socket", "keys", "logs"):
            assert stat.S_IMODE((bare_home / folder).stat().st_mode) == 0o700
        key = bare_home / "keys/postgres-superuser"
        assert key.read_text().strip() == server.password
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert server.password not in repr(server)
    # Nothing runs afterwards, and the folder that was there before is as it was.
    assert not processes(bare_home)
    assert stat.S_IMODE(bare_home.stat().st_mode) == 0o750


def test_a_server_in_use_is_shared_and_its_owner_waits(bare_home: Path, another) -> None:
    owner = another()
    started = owner.hears()["started"]
    with running(bare_home) as server:
        assert ask(server, "SELECT pg_postmaster_start_time()::text") == (started,)
        owner.leave()
        assert "still use" in owner.hears()["waits"]
        assert ask(server, "SELECT 1") == (1,)
    assert owner.hears() == {"ended": True}
    assert not processes(bare_home)


def test_processes_that_begin_at_once_share_one_server(bare_home: Path, another) -> None:
    others = [another() for _ in range(3)]
    assert len({other.hears()["started"] for other in others}) == 1


def test_a_server_dies_with_its_killed_owner_and_comes_back(bare_home: Path, another) -> None:
    owner = another()
    conninfo = owner.hears()["conninfo"]
    user = another()
    user.hears()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(owner.pid, signal.SIGKILL)
        until(lambda: not processes(bare_home))
    # The other user still holds its shared lock.
    assert user.process.poll() is None
    with running(bare_home) as server:
        assert ask(server, "SELECT number FROM kept") == (7,)
        user.end()


@pytest.mark.parametrize("times", [2])
def test_a_supervisor_restarts_a_killed_server(bare_home: Path, times: int) -> None:
    postgres = EmbeddedPostgres(bare_home)

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


def test_a_supervisor_waits_for_the_present_owner(bare_home: Path, another) -> None:
    owner = another()
    owner.hears()
    supervisor = EmbeddedPostgres(bare_home)
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


def test_a_supervisor_stops_in_bounded_time(bare_home: Path, another) -> None:
    postgres = EmbeddedPostgres(bare_home)
    postgres.own()
    postgres.ensure_cluster()
    postgres.start()
    postgres.wait_ready()
    another().hears()
    before = time.monotonic()
    postgres.leave(users_timeout_s=0.2)
    assert time.monotonic() - before < 5
    assert not processes(bare_home)


def test_an_interrupted_wait_for_others_stops_the_server(bare_home: Path, another) -> None:
    with (
        pytest.raises(KeyboardInterrupt, match="still use"),
        running(bare_home, on_wait=interrupt),
    ):
        another().hears()
    assert not processes(bare_home)


def interrupt(why: str) -> None:
    raise KeyboardInterrupt(why)


def test_a_killed_making_is_made_again(bare_home: Path, another) -> None:
    for delay_s in (0, 0.15):
        killed = another()
        until(lambda: list(bare_home.glob("postgres.new-*/PG_VERSION")))
        time.sleep(delay_s)
        os.kill(killed.pid, signal.SIGKILL)
        killed.process.wait()
        assert not (bare_home / "postgres").exists()
    with running(bare_home) as server:
        assert ask(server, "SELECT 1") == (1,)
    assert not list(bare_home.glob("postgres.new-*"))


def test_a_stale_pid_file_with_a_living_process_does_not_matter(bare_home: Path) -> None:
    with running(bare_home):
        lines = (bare_home / "postgres/postmaster.pid").read_text().splitlines()
    state = (bare_home / "postgres").stat()
    as_owner: dict[str, Any] = {"user": state.st_uid, "group": state.st_gid} if IS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], **as_owner) as innocent:
        for name in ("postgres/postmaster.pid", "postgres-socket/.s.PGSQL.5432.lock"):
            (bare_home / name).write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        with running(bare_home) as server:
            assert ask(server, "SELECT 1") == (1,)
        assert innocent.poll() is None
        innocent.kill()


def test_a_long_path_gets_a_short_socket_folder(tmp_path: Path, another) -> None:
    bare_home = tmp_path / ("long" * 30)
    bare_home.mkdir()
    with running(bare_home) as server:
        folder = server.socket_folder
        assert len(str(folder)) < 60
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with running(bare_home) as same:
            assert same == server
    with running(bare_home) as server:
        assert server.socket_folder == folder
    shutil.rmtree(folder)
    with running(bare_home) as server:
        assert server.socket_folder != folder
        folder = server.socket_folder
        with pytest.raises(Unavailable, match="in use"):
            forget(bare_home)
    forget(bare_home)
    assert not folder.exists()


def test_another_major_version_is_refused_with_advice(bare_home: Path) -> None:
    with running(bare_home, version="16") as server:
        assert ask(server, "SHOW server_version_num")[0].startswith("16")
        assert ask(server, "SELECT lower('ÀÉ')") == ("àé",)
    with (
        pytest.raises(Unavailable, match=r"made by PostgreSQL 16.*18.*reelm backup"),
        running(bare_home, version="18"),
    ):
        pass


def test_a_password_is_required(bare_home: Path) -> None:
    with running(bare_home) as server:
        for secret, reason in ((None, "no password"), ("wrong", "authentication failed")):
            with pytest.raises(psycopg.OperationalError, match=reason):
                psycopg.connect(server.conninfo("postgres", secret))


def test_a_lost_password_is_renewed_and_a_wrong_one_explained(bare_home: Path) -> None:
    key = bare_home / "keys/postgres-superuser"
    with running(bare_home) as server:
        first = server.password
    key.write_text("somebody-elses\n")
    with pytest.raises(Unavailable, match="not the database's"), running(bare_home):
        pass
    key.unlink()
    with running(bare_home) as server:
        assert ask(server, "SELECT 1") == (1,)
        assert server.password != first


def test_a_server_that_cannot_start_says_why(bare_home: Path) -> None:
    with running(bare_home):
        pass
    with (bare_home / "postgres/postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'plenty'\n")
    with pytest.raises(Unavailable, match=r"did not start.*shared_buffers"), running(bare_home):
        pass


def test_a_region_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="reelm init"), running(tmp_path / "nowhere"):
        pass


def test_a_folder_of_something_else_is_not_touched(bare_home: Path) -> None:
    (bare_home / "postgres").mkdir()
    (bare_home / "postgres/diary.txt").write_text("mine")
    with pytest.raises(Unavailable, match="not a PostgreSQL cluster"), running(bare_home):
        pass
    assert (bare_home / "postgres/diary.txt").read_text() == "mine"


def test_a_long_log_is_rotated_while_the_server_writes_on(
    bare_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LONGEST_LOG_BYTES", 300)
    with running(bare_home):
        EmbeddedPostgres(bare_home).rotate_log()
        assert (bare_home / "logs/postgres.log.1").stat().st_size == 300
        assert (bare_home / "logs/postgres.log").stat().st_size == 0
    assert "shut down" in (bare_home / "logs/postgres.log").read_text()


def test_statements_stay_out_of_the_log(bare_home: Path) -> None:
    with running(bare_home) as server:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            ask(server, "SELECT 'a secret word'::int")
        # A crash is logged, its statement is not.
        with pytest.raises(psycopg.OperationalError):
            ask(server, "SELECT pg_terminate_backend(pg_backend_pid()), 'a secret word'")
    log = (bare_home / "logs/postgres.log").read_text()
    assert "terminating connection" in log
    assert "secret word" not in log
