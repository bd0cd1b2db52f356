"""A real PostgreSQL for all tests, and a fresh region for each."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from psycopg.conninfo import make_conninfo

from reelm import app
from reelm.accounts import passwords
from reelm.foundation import home as homes
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Database, Session, embedded, roles
from reelm.foundation.database.migrate import migrate
from reelm.foundation.jobs import run_worker
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store

_REAL = passwords._hasher

OWNER_PASSWORD = "owner-of-the-tests"
TEMPLATE = "reelm_template"
# Nothing here outlives the tests. Waiting for the disk at each database that is made and dropped
# took more than half of their set-up, and seconds where others used the disk.
NOT_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# Making and dropping a database costs a third less processor time in memory. A worker needs less
# than 1 GB there; a container may have 64 MB in all.
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108  mkdtemp makes private folders there
ROOM_BYTES = 4 << 30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what shares a region that takes long to fill: one worker then takes it all."""
    first = (Path(__file__).parent / "browser", Path(__file__).parent / "commands")
    items.sort(key=lambda item: [not item.path.is_relative_to(folder) for folder in first])


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A short folder that any user may enter, gone at the end; in memory where there is room."""
    is_roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="reelm-", dir=MEMORY if is_roomy else DISK))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(scratch: Path) -> Iterator[str]:
    """Conninfo of a superuser: REELM_TEST_POSTGRES, or an embedded server."""
    if given := os.environ.get("REELM_TEST_POSTGRES"):
        yield make_conninfo(given, dbname="postgres")
        return
    home = scratch / "postgres-home"
    (home / "keys").mkdir(parents=True, mode=0o755)
    (home / "logs").mkdir()
    version: embedded.Version = (
        "16" if os.environ.get("REELM_TEST_POSTGRES_VERSION") == "16" else "18"
    )
    with embedded.running(home, version=version) as server:
        conninfo = make_conninfo(server.conninfo(), dbname="postgres")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for setting in NOT_DURABLE:
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield conninfo


@pytest.fixture(scope="session")
def template(postgres: str) -> Iterator[str]:
    """A migrated database that each test copies; yields the superuser's conninfo."""
    name = f"{TEMPLATE}_{secrets.token_hex(4)}"
    roles.ensure_owner(postgres, app.OWNER, OWNER_PASSWORD, name)
    owner = make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    migrate(owner)
    yield name
    _drop(postgres, name)


@pytest.fixture
def home(tmp_path: Path) -> homes.Home:
    """A region home."""
    return app.make_region(
        tmp_path / "region", jurisdiction="neutral", operator="Test Operator", name="Test", number=7
    )


@pytest.fixture
def owner(postgres: str, template: str) -> Iterator[str]:
    """Conninfo of the owner of a fresh database."""
    name = f"reelm_{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {app.OWNER}")
    yield make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    _drop(postgres, name)


@pytest.fixture
def parts(home: homes.Home, owner: str) -> Iterator[Parts]:
    """An open region on a fresh database."""
    settings = load(home.path, {})
    epoch = app.prepare(home, settings, owner)
    conninfo = roles.app_conninfo(owner, epoch, home.secret("database-app"))
    database = Database(conninfo, pool_size=8, info={"subscribers": app.EVENTS})
    ids.use(ids.Snowflakes(region=settings.region.number, process=1))
    yield Parts(home, settings, database, open_store(settings.storage, home))
    ids.use(None)
    database.close()


@pytest.fixture
def session(parts: Parts) -> Iterator[Session]:
    """A transaction that is committed at the end of the test."""
    with parts.transaction() as session:
        yield session


@pytest.fixture
def run_jobs(parts: Parts) -> Callable[[], None]:
    """Run every queued job to its end, those that jobs defer included."""

    def run() -> None:
        while _waiting(parts):
            asyncio.run(
                run_worker(parts, app.JOBS, queues=app.queues(parts.settings), until_idle=True)
            )

    return run


def _waiting(parts: Parts) -> bool:
    with psycopg.connect(parts.database.conninfo) as connection:
        query = (
            "SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'"
            " AND coalesce(scheduled_at, now()) <= now() LIMIT 1"
        )
        return connection.execute(query).fetchone() is not None


def _drop(postgres: str, name: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE IF EXISTS {roles.app_role(name, 1)}")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash with the cheapest parameters."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as the service does."""
    monkeypatch.setattr(passwords, "_hasher", _REAL)
    passwords._nobodys_hash.cache_clear()
