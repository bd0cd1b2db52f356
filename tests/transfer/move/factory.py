"""Both sides of a move, and the steps that they take."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import msgspec
import psycopg
from tests.transfer.factory import Sale

from reelm import transfer
from reelm.foundation.database import Database
from reelm.foundation.parts import Parts
from reelm.transfer import move
from reelm.transfer.current import KnownTransfer, newest_transfer
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

    def known(self) -> KnownTransfer:
        """The sale, as the seller has it."""
        with self.seller.transaction() as session:
            found = newest_transfer(session)
        assert found is not None
        return found

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
