"""One region of fifty people, sold and moved once; many comparisons are made on it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import OWNER_PASSWORD, hash_cheaply
from tests.s3 import serving_s3
from tests.transfer.shows.sides import Server
from tests.transfer.shows.whole_move import Move, moved
from tests.web.conftest import FEW

from reelm import app
from reelm.feed import live
from reelm.foundation import ids
from reelm.foundation.database import embedded, roles
from reelm.foundation.database.migrate import migrate


@pytest.fixture(scope="session")
def other_postgres(scratch: Path) -> Iterator[str]:
    """Conninfo of a superuser of a second server, of another version than the first."""
    home = scratch / "buyers-postgres"
    (home / "keys").mkdir(parents=True, mode=0o755)
    (home / "logs").mkdir()
    with embedded.running(home, version="16") as server:
        yield make_conninfo(server.conninfo(), dbname="postgres")


@pytest.fixture(scope="package")
def bucket() -> Iterator[str]:
    with serving_s3() as address:
        yield address


@pytest.fixture(scope="package")
def cheap() -> Iterator[None]:
    """What `cheap_hashes` and `small_ranker` do, for as long as the tests of this folder."""
    with pytest.MonkeyPatch.context() as patch:
        hash_cheaply(patch)
        patch.setattr(live, "SIZES", FEW)
        yield


@contextmanager
def database(superuser: str) -> Iterator[str]:
    """A fresh, migrated database; yields how its owner connects."""
    name = f"reelm_{secrets.token_hex(4)}"
    roles.ensure_owner(superuser, app.OWNER, OWNER_PASSWORD, name)
    owner = make_conninfo(superuser, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    migrate(owner)
    try:
        yield owner
    finally:
        _drop(superuser, name)


def _drop(superuser: str, name: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        for epoch in (1, 2):
            connection.execute(f"DROP ROLE IF EXISTS {roles.app_role(name, epoch)}")


@pytest.fixture(scope="package")
def whole(
    postgres: str, other_postgres: str, cheap: None, bucket: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Move]:  # fmt: skip
    """The whole move, with what was asked before it and after it."""
    folder = tmp_path_factory.mktemp("sold")
    with database(postgres) as sellers, database(other_postgres) as buyers:
        yield from moved(folder, Server(sellers), Server(buyers, bucket))


@pytest.fixture
def move(whole: Move) -> Iterator[Move]:
    """The same; while a test runs, this process is the one that serves the buyer's region."""
    ids.use(whole.buyer.source)
    yield whole
    ids.use(None)
