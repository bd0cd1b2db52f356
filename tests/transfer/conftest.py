"""A buyer: another database, made by its own migrations, and another object store."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import OWNER_PASSWORD
from tests.transfer.factory import Sale, make_sale

from reelm import app
from reelm.foundation.config import load
from reelm.foundation.home import Home
from reelm.foundation.storage import ObjectStore, open_store


@dataclass(frozen=True)
class Buyer:
    """Where the region goes."""

    home: Home
    owner: str
    store: ObjectStore

    @property
    def region_key(self) -> bytes:
        return bytes.fromhex(self.home.secret("region-key"))


@pytest.fixture
def buyer(postgres: str, template: str, tmp_path: Path) -> Iterator[Buyer]:
    """A buyer with a fresh, migrated database."""
    name = f"reelm_{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {app.OWNER}")
    home = app.make_region(
        tmp_path / "bought", jurisdiction="neutral", operator="The Buyer", name="Test", number=7
    )
    owner = make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    yield Buyer(home, owner, open_store(load(home.path, {}).storage, home))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def sale(session, parts) -> Sale:
    """A region with authorities, and nothing proposed yet."""
    return make_sale(session, parts)
