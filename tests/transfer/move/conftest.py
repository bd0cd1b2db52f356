"""A sale that everybody has approved, between a region and a buyer with servers of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.transfer.bundle_factory import fill
from tests.transfer.conftest import Buyer
from tests.transfer.factory import make_sale
from tests.transfer.move.factory import ITS_OWN, Moving, as_owner
from tests.transfer.move.stages import Stages

from reelm import app, transfer
from reelm.foundation.config import load
from reelm.foundation.database import Database
from reelm.foundation.parts import Parts
from reelm.transfer import move
from reelm.transfer.move import Exchange


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
    database = Database(buyer.owner, pool_size=3, info={"subscribers": app.EVENTS})
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


@pytest.fixture(scope="session")
def stages(postgres: str, template: str, scratch: Path) -> Iterator[Stages]:
    """One move as it stood after each of its steps; see stages.py."""
    made = Stages(scratch / "stages", postgres, template)
    made.make()
    yield made
    made.drop()
