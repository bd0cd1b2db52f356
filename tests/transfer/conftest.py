"""A buyer: another database, made by its own migrations, and another object store."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import OWNER_PASSWORD, Superuser, create_database, drop_database
from tests.transfer.factory import Sale, make_sale
from tests.web.conftest import FEW

from reelm import app
from reelm.feed import live
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
def buyer(superuser: Superuser, postgres: str, template: str, tmp_path: Path) -> Iterator[Buyer]:
    """A buyer with a fresh, migrated database."""
    name = f"reelm_{secrets.token_hex(4)}"
    create_database(superuser, name, template)
    home = app.make_region(
        tmp_path / "bought", jurisdiction="neutral", operator="The Buyer", name="Test", number=7
    )
    owner = make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    yield Buyer(home, owner, open_store(load(home.path, {}).storage, home))
    drop_database(superuser, name)


@pytest.fixture
def small_ranker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the ranker room for a few hundred of everything."""
    monkeypatch.setattr(live, "SIZES", FEW)


@pytest.fixture
def sale(session, parts) -> Sale:
    """A region with authorities, and nothing proposed yet."""
    return make_sale(session, parts)
