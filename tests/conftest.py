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
from reelm.accounts import handles, passwords
from reelm.foundation import home as homes
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Base, Database, Session, embedded, roles
from reelm.foundation.database.migrate import migrate
from reelm.foundation.jobs import run_worker
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store

_REAL, _REAL_COST = passwords._hasher, handles._cost
Superuser = psycopg.Connection[tuple[object, ...]]

OWNER_PASSWORD = "owner-of-the-tests"
TEMPLATE = "reelm_template"
# Nothing here outlives the tests. Waiting for the disk at each database that is made and dropped
# took more than half of their set-up, and seconds where others used the disk.
NOT_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# Making and dropping a database costs a third less processor time in memory. A worker needs less
# than 1 GB there; a container may have 64 MB in all.
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108  mkdtemp makes private folders there
ROOM_BYTES = 4 << 30


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: a third of their time they wait for others' programs."""
    return min(4, len(os.sched_getaffinity(0)) + 1)  # each needs some 1.5 GB at its peak


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what shares a region that takes long to fill: one worker then takes it all."""
    here = Path(__file__).parent
    first = (here / "browser", here / "commands", here / "transfer" / "shows")
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
            # A password is looked at for each connection; a test makes ten.
            connection.execute("ALTER SYSTEM SET scram_iterations = 1")
            connection.execute("SELECT pg_reload_conf()")
        yield conninfo


@pytest.fixture(scope="session")
def superuser(postgres: str) -> Iterator[Superuser]:
    """One connection that makes and drops databases."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def template(superuser: Superuser, postgres: str) -> Iterator[str]:
    """The name of a migrated database, to be copied."""
    name = f"{TEMPLATE}_{secrets.token_hex(4)}"
    roles.ensure_owner(postgres, app.OWNER, OWNER_PASSWORD, name)
    owner = make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    migrate(owner)
    yield name
    drop_database(superuser, name)


@pytest.fixture(scope="session")
def begun(
    superuser: Superuser, postgres: str, template: str, scratch: Path
) -> Iterator[tuple[Path, str]]:
    """A home, and its database in which a tenure has begun: what an open region is a copy of."""
    home = new_home(scratch / "begun")
    name = f"{TEMPLATE}_{secrets.token_hex(4)}"
    create_database(superuser, name, template)
    owner = make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    app.prepare(home, load(home.path, {}), owner)
    role = roles.app_role(name, 1)  # a copy has one of its own
    with psycopg.connect(make_conninfo(postgres, dbname=name), autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")
    yield home.path, name
    drop_database(superuser, name)


def new_home(path: Path) -> homes.Home:
    return app.make_region(
        path, jurisdiction="neutral", operator="Test Operator", name="Test", number=7
    )


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> homes.Home:
    """A region home."""
    if "parts" not in request.fixturenames:
        return new_home(tmp_path / "region")
    path, _ = request.getfixturevalue("begun")
    return homes.Home(shutil.copytree(path, tmp_path / "region"))


@pytest.fixture
def owner(
    request: pytest.FixtureRequest, superuser: Superuser, postgres: str, template: str
) -> Iterator[str]:
    """Conninfo of the owner of a fresh database: of an open region, where there is one."""
    name = f"reelm_{secrets.token_hex(4)}"
    is_open = "parts" in request.fixturenames
    create_database(superuser, name, request.getfixturevalue("begun")[1] if is_open else template)
    yield make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    drop_database(superuser, name)


@pytest.fixture
def parts(home: homes.Home, owner: str) -> Iterator[Parts]:
    """An open region on a fresh database."""
    settings = load(home.path, {})
    roles.ensure_app(owner, 1, home.secret("database-app"), Base.metadata)
    conninfo = roles.app_conninfo(owner, 1, home.secret("database-app"))
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


def create_database(superuser: Superuser, name: str, template: str) -> None:
    """Copy a database."""
    superuser.execute(as_files(name, template))


def as_files(name: str, template: str) -> str:
    """Return the statement that copies a database, as files.

    Through the WAL it takes three times the processor time, and the first who connects finds no
    cache of the catalogue.
    """
    return f"CREATE DATABASE {name} TEMPLATE {template} OWNER {app.OWNER} STRATEGY FILE_COPY"


def drop_database(superuser: Superuser, name: str) -> None:
    """Drop a database, whoever is connected to it, with its first serving role."""
    superuser.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    superuser.execute(f"DROP ROLE IF EXISTS {roles.app_role(name, 1)}")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash with the cheapest parameters."""
    hash_cheaply(monkeypatch)
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()


def hash_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Hash passwords, and handles of the erased, with the cheapest parameters."""
    patch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
    patch.setattr(handles, "_cost", 2)


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as the service does."""
    monkeypatch.setattr(passwords, "_hasher", _REAL)
    monkeypatch.setattr(handles, "_cost", _REAL_COST)
    passwords._nobodys_hash.cache_clear()
