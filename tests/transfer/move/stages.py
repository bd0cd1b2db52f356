"""One move, kept as it stood after each of its steps, to be taken up again there at will.

Databases and folders are put back under their own names: the privileges in a database are those of
a role that is called after it.
"""

import itertools
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.conftest import OWNER_PASSWORD, as_files
from tests.transfer.bundle_factory import fill
from tests.transfer.factory import Sale, make_sale
from tests.transfer.move.factory import ITS_OWN, Moving

from reelm import app, transfer
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Database, roles
from reelm.foundation.home import Home
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store
from reelm.transfer import move
from reelm.transfer.move import Exchange

SELLER, BUYER = "seller", "buyer"
_processes = itertools.count()
# In the order in which they are reached.
ORDER: dict[str, Callable[[Moving], object]] = {
    "announced": lambda moving: moving.announce(),
    "rehearsed": lambda moving: move.rehearse(moving.seller, moving.exchange),
    "frozen": lambda moving: move.freeze(moving.seller),
    "sealed": lambda moving: move.seal_region(moving.seller, moving.exchange),
    "verified": lambda moving: move.receive(moving.buyer, moving.exchange),
    "signed": lambda moving: move.cut_over(moving.seller, moving.exchange),
    "over": lambda moving: move.countersign(moving.buyer, moving.exchange),
}


@dataclass
class Stages:
    """Where a move lies, and how the server's superuser and the owner of a database connect."""

    folder: Path
    postgres: str
    template: str
    sale: Sale | None = None
    kept: set[str] = field(default_factory=set)
    name: str = field(default_factory=lambda: f"reelm_{secrets.token_hex(4)}")

    @property
    def live(self) -> Path:
        return self.folder / "live"

    @property
    def exchange(self) -> Path:
        return self.live / "exchange"

    def home(self, side: str) -> Home:
        return Home(self.live / side)

    def owner(self, side: str) -> str:
        name = f"{self.name}_{side}"
        return make_conninfo(self.postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)

    def url(self, side: str) -> str:
        """Return the setting `database.url` of a side."""
        known = conninfo_to_dict(self.owner(side))
        return (
            f"postgresql://{known['user']}:{quote(str(known['password']))}@/{known['dbname']}"
            f"?host={quote(str(known['host']), safe='')}&port={known.get('port', 5432)}"
        )

    def make(self) -> None:
        """Make both sides with their sale, and keep it as it stands after each step."""
        for number, side in ((6, BUYER), (7, SELLER)):
            self._sql(as_files(f"{self.name}_{side}", self.template))
            app.make_region(
                self.live / side, jurisdiction="neutral", operator=f"The {side}", name="Test",
                number=number,
            )  # fmt: skip
        home = self.home(SELLER)
        app.prepare(home, load(home.path, {}), self.owner(SELLER))
        with self.opened() as moving:
            fill(self.owner(SELLER), moving.serving, 3, 11, but=ITS_OWN)
            told = move.buyer_file(moving.buyer, "AQ")
            choices = transfer.Choices(dispositions={"model": "retrain"})
            with moving.seller.transaction() as session:
                sale = make_sale(session, moving.serving)
                sale.buyer_key = moving.buyer.home.operator_key()
                sale.propose(choices, recipient=told.recipient, operator=told.operator)
                sale.signed()
                sale.submit(sale.decision(sale.host))
            self.sale = sale
        for stage, step in ORDER.items():
            with self.opened() as moving:
                step(moving)
            self.keep(stage)

    @contextmanager
    def at(self, stage: str) -> Iterator[Moving]:
        """Put everything back to where it was after a step, and open both sides."""
        self.put_back(stage, SELLER, BUYER)
        shutil.rmtree(self.exchange, ignore_errors=True)
        if (self.folder / stage / "exchange").exists():
            shutil.copytree(self.folder / stage / "exchange", self.exchange)
        with self.opened() as moving:
            yield moving

    def put_back(self, stage: str, *sides: str) -> None:
        """Put database and home of one side back, as from a backup."""
        for side in sides:
            shutil.rmtree(self.live / side)
            shutil.copytree(self.folder / stage / side, self.live / side)
            name = f"{self.name}_{side}"
            self._sql(f"DROP DATABASE {name} WITH (FORCE)")
            self._sql(as_files(name, f"{name}_{stage}"))
            if side == SELLER:
                # A role is the server's; the cutover takes its sign-in.
                secret = self.home(side).secret("database-app")
                is_over = stage in {"signed", "over"}
                how = "NOLOGIN PASSWORD NULL" if is_over else f"LOGIN PASSWORD '{secret}'"
                self._sql(f"ALTER ROLE {roles.app_role(name, 1)} {how}")

    def keep(self, stage: str) -> None:
        """Keep everything as it stands."""
        shutil.copytree(self.live, self.folder / stage)
        for side in (SELLER, BUYER):
            name = f"{self.name}_{side}"
            self._sql(as_files(f"{name}_{stage}", name))
        self.kept.add(stage)

    @contextmanager
    def opened(self) -> Iterator[Moving]:
        """Both sides as they stand."""
        password = self.home(SELLER).secret("database-app")
        serving = roles.app_conninfo(self.owner(SELLER), 1, password)
        seller, buyer = self.parts(SELLER, self.owner(SELLER)), self.parts(BUYER, self.owner(BUYER))
        served = self.parts(SELLER, serving)
        use_new_ids()
        try:
            yield Moving(served, seller, buyer, Exchange(self.exchange), cast("Sale", self.sale))
        finally:
            ids.use(None)
            for parts in (seller, buyer, served):
                parts.database.close()

    def parts(self, side: str, conninfo: str) -> Parts:
        """Open one side."""
        home = self.home(side)
        settings = load(home.path, {})
        database = Database(conninfo, pool_size=8, info={"subscribers": app.EVENTS})
        return Parts(home, settings, database, open_store(settings.storage, home))

    def drop(self) -> None:
        """Take it all away."""
        for side in (SELLER, BUYER):
            for name in ("", *(f"_{stage}" for stage in self.kept)):
                self._sql(f"DROP DATABASE IF EXISTS {self.name}_{side}{name} WITH (FORCE)")
            for epoch in (1, 2):
                self._sql(f"DROP ROLE IF EXISTS {roles.app_role(f'{self.name}_{side}', epoch)}")
        shutil.rmtree(self.folder)

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(statement.encode())


def use_new_ids() -> None:
    """Make ids with another process number, as after a restart."""
    ids.use(ids.Snowflakes(region=7, process=next(_processes) % 30 + 30))
