"""Migrations: by themselves, one at a time, to the same end whatever cuts them off."""

import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from reelm import app
from reelm.foundation.database import embedded, roles, schema
from reelm.foundation.database.migrate import migrate, migrations
from reelm.foundation.errors import Unavailable

PASSWORD = "owner-of-the-tests"


@pytest.fixture(scope="module", params=["18", "16"])
def server(request: pytest.FixtureRequest, scratch: Path) -> Iterator[str]:
    """Conninfo of a superuser of an embedded server of each major version."""
    home = Path(tempfile.mkdtemp(prefix="migrate-", dir=scratch))
    home.chmod(0o755)
    for name in ("keys", "logs"):
        (home / name).mkdir()
    with embedded.running(home, version=request.param) as server:
        yield make_conninfo(server.conninfo(), dbname="postgres")
    embedded.forget(home)


@pytest.fixture
def empty(server: str) -> str:
    """Conninfo of the owner of an empty database."""
    name = f"r{secrets.token_hex(4)}"
    roles.ensure_owner(server, app.OWNER, PASSWORD, name)
    return make_conninfo(server, user=app.OWNER, password=PASSWORD, dbname=name)


def tables(conninfo: str) -> set[str]:
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    with psycopg.connect(conninfo) as connection:
        return {row[0] for row in connection.execute(query)}


def test_an_empty_database_gets_every_table_and_then_nothing_more(empty: str) -> None:
    assert migrate(empty) is True
    assert {"video", "audit_entry", "procrastinate_jobs"} <= tables(empty)
    assert migrate(empty) is False
    schema.ensure_schema(empty)


def test_a_schema_that_is_older_is_brought_up(empty: str) -> None:
    schema.ensure_schema(empty)
    assert "video" in tables(empty)


def test_each_migration_is_named_by_its_revision() -> None:
    known = [step.revision for step in migrations().walk_revisions("base", "head")]
    assert list(schema.known_revisions()) == known[::-1]


def test_processes_that_start_at_once_wait_for_one_another(empty: str) -> None:
    with ThreadPoolExecutor(6) as executor:
        changed = list(executor.map(lambda _: migrate(empty), range(6)))
    assert sorted(changed) == [False] * 5 + [True]


def test_a_migration_that_is_killed_is_taken_up_again(empty: str) -> None:
    code = f"from reelm.foundation.database.migrate import migrate; migrate({empty!r})"
    for wait_s in (0.9, 1.0, 1.1, 1.2):
        child = subprocess.Popen([sys.executable, "-c", code])
        try:
            child.wait(wait_s)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
    migrate(empty)
    assert migrate(empty) is False
    assert "video" in tables(empty)


def test_a_newer_schema_is_left_alone(empty: str) -> None:
    migrate(empty)
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="newer release"):
        migrate(empty)
