"""A sale that everybody has approved, between a region and a buyer with servers of their own."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import psycopg
import pytest
from tests.transfer.bundle_factory import fill
from tests.transfer.conftest import Buyer
from tests.transfer.factory import Sale, make_sale

from reelm import transfer
from reelm.foundation.config import load
from reelm.foundation.database import Database
from reelm.foundation.parts import Parts
from reelm.transfer import move
from reelm.transfer.move import Exchange

# What is said about a sale, and by whom, has to mean something here.
ITS_OWN = frozenset({"authority", "authority_key", "legal_order", "transfer", "transfer_statement"})


@dataclass
class Moving:
    """Both sides, as their owners open them, and the folder between them."""

    serving: Parts
    seller: Parts
    buyer: Parts
    exchange: Exchange
    sale: Sale

    def freeze(self) -> None:
        """Tell everybody, rehearse and freeze."""
        self.announce()
        move.rehearse(self.seller, self.exchange)
        move.freeze(self.seller)

    def announce(self) -> None:
        """Tell everybody, in a region that asks for no days of notice."""
        at_once = msgspec.structs.replace(self.seller.settings.transfer, notice_days=0)
        settings = msgspec.structs.replace(self.seller.settings, transfer=at_once)
        with self.seller.transaction() as session:
            transfer.announce(session, replace(self.seller, settings=settings))

    def sealed(self) -> None:
        """Go on until the bundle is there."""
        self.freeze()
        move.seal_region(self.seller, self.exchange)

    def verified(self) -> None:
        """Go on until the buyer has found everything equal."""
        self.sealed()
        move.receive(self.buyer, self.exchange)

    def cut_over(self) -> None:
        """Go on to the end."""
        self.verified()
        move.cut_over(self.seller, self.exchange)
        move.countersign(self.buyer, self.exchange)

    def act(self, do: Callable[[Sale], object]) -> None:
        """Let somebody say something about the sale at the seller's, in a transaction."""
        with self.seller.transaction() as session:
            self.sale.session = session
            do(self.sale)

    def state(self) -> str:
        """Where the seller says that the sale stands."""
        with self.seller.transaction() as session:
            return transfer.status(session).state

    def write(self, parts: Parts, statement: str) -> int:
        """Run a statement as the serving role; return how many rows it wrote."""
        # Closed also where the commit is refused, which psycopg's own block does not do.
        with closing(psycopg.connect(parts.database.conninfo)) as connection:
            rows = connection.execute(statement.encode()).rowcount
            connection.commit()
            return rows


def as_owner(parts: Parts, owner: str) -> Parts:
    """The same region, its database as the owner's role sees it."""
    database = Database(owner, pool_size=3, info=parts.database.info)
    return replace(parts, database=database)


@pytest.fixture
def moving(parts: Parts, owner: str, buyer: Buyer, tmp_path: Path) -> Iterator[Moving]:
    """A small region with a row of everything, sold to a buyer, approved by its host.

    Its log has signals that nobody could learn from, so the model stays (test_model_moves.py).
    """
    fill(owner, parts, 3, 11, but=ITS_OWN)
    with selling(parts, owner, buyer, tmp_path / "exchange", "retrain") as moving:
        yield moving


@contextmanager
def selling(
    parts: Parts, owner: str, buyer: Buyer, exchange: Path, disposition: str
) -> Iterator[Moving]:
    """Sell a region to a buyer, with this disposition of its model; yield it approved."""
    seller = as_owner(parts, owner)
    database = Database(buyer.owner, pool_size=3)
    bought = Parts(buyer.home, load(buyer.home.path, {}), database, buyer.store)
    told = move.buyer_file(bought, "AQ")
    with seller.transaction() as session:
        sale = make_sale(session, parts)
        sale.buyer_key = buyer.home.operator_key()
        choices = transfer.Choices(dispositions={"model": disposition})
        sale.propose(choices, recipient=told.recipient, operator=told.operator)
        sale.signed()
        sale.submit(sale.decision(sale.host))
    yield Moving(parts, seller, bought, Exchange(exchange), sale)
    seller.database.close()
    database.close()


@pytest.fixture
def serving(parts: Parts, owner: str, buyer: Buyer, tmp_path: Path) -> Iterator[Moving]:
    """The same sale of a region that people use: it has what they put there, and no more."""
    with selling(parts, owner, buyer, tmp_path / "exchange", "retrain") as moving:
        yield moving
