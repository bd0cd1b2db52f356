"""A whole move of the village: asked, frozen, ordered in the freeze, moved, and asked again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from httpx2 import Response
from sqlalchemy import select
from tests.regions.factory import people
from tests.transfer.bundle_factory import fill
from tests.transfer.factory import Sale, make_sale
from tests.transfer.move.factory import ITS_OWN
from tests.transfer.shows.asked import Answers, ask_all, media_of
from tests.transfer.shows.browser import COUNTRY, serving
from tests.transfer.shows.law import STAFF, Law, enforce, in_days
from tests.transfer.shows.sides import Server, Side, side
from tests.transfer.shows.village import Village, settle
from tests.videos.factory import Clips

from reelm import accounts, transfer
from reelm.accounts import Wrapping, region_keys
from reelm.accounts.models import HeldErasure
from reelm.foundation.database import Base
from reelm.foundation.errors import Conflict
from reelm.regions.orders import ListedOrder, order
from reelm.transfer import move
from reelm.transfer.bundle.narrow import tree_of
from reelm.transfer.bundle.rows import pinned
from reelm.transfer.bundle.tables import moved_tables
from reelm.transfer.move import Exchange
from reelm.transfer.move.seal_region import seller_keys

KINDS = ("renditions", "posters", "avatars", "originals", "sealed-copies")
# What would withhold anything, or stop what learns, whatever it says.
MEANS_SOMETHING = frozenset({"restriction", "signal", "sealed_copy"})
# Where what is ordered late holds: nobody is asked from there but by the tests of these orders.
FAR = {COUNTRY: "NZ"}


@dataclass
class Move:
    """Both sides, the village at the side that serves, and what was noted on the way."""

    seller: Side
    buyer: Side
    exchange: Exchange
    village: Village
    law: Law
    sale: Sale
    before: Answers = field(default_factory=dict)
    after: Answers = field(default_factory=dict)
    media_before: dict[str, bytes] = field(default_factory=dict)
    media_after: dict[str, bytes] = field(default_factory=dict)
    noted: dict[str, Any] = field(default_factory=dict)

    def from_far(self, address: str) -> Response:
        """Ask for an address from where the late orders hold."""
        self.village.client.cookies.clear()
        return self.village.client.request("GET", address, headers=FAR)


def moved(folder: Path, sellers: Server, buyers: Server) -> Iterator[Move]:
    """Make the village, move it, and serve it at the buyer's."""
    with (
        side(folder / "region", "Test Operator", sellers) as seller,
        side(folder / "bought", "The Buyer", buyers) as buyer,
    ):
        with seller.parts() as parts:
            fill(sellers.owner, parts, 3, 11, but=ITS_OWN | MEANS_SOMETHING)
        with seller.parts() as parts, serving(parts) as client:
            village = Village(parts, client, Clips(folder)("mp4"))
            settle(village)
            law, sale = enforce(village), _agreed(seller, buyer)
            made = Move(seller, buyer, Exchange(folder / "exchange"), village, law, sale)
            with seller.owner.transaction() as session:
                transfer.announce(session, seller.owner)
            move.rehearse(seller.owner, made.exchange)
            made.before, made.media_before = ask_all(village, law), media_of(village)
            _freeze_and_leave(made)
        move.countersign(buyer.owner, made.exchange)
        made.noted["roots"] = roots_at_the_buyer(made)
        made.noted["orders"], made.noted["held"] = as_they_came(made)
        store = buyer.owner.store
        made.noted["objects"] = {
            one.key: store.get(one.key) for kind in KINDS for one in store.list(kind)
        }
        with buyer.parts() as parts, serving(parts) as client:
            village.parts, village.client = parts, client
            made.noted["staff"] = _hire_again(village)
            made.noted["given again"] = law.give_again(village, "between")
            made.after, made.media_after = ask_all(village, law), media_of(village)
            yield made


def _freeze_and_leave(made: Move) -> None:
    """Freeze, and give orders at each point from there to the seller's signature and after."""
    village, law, noted = made.village, made.law, made.noted
    who, seller, exchange = village.people, made.seller.owner, made.exchange
    late: dict[str, Any] = {"confidential": True, "complies_by": in_days(2)}
    move.freeze(seller)
    law.give(
        village, "late", "geo_restrict", targets=people(who["v33"].id), countries=["NZ"], **late
    )
    noted["late at once"] = made.from_far("/api/accounts/v33").status_code
    law.give(village, "late disclose", "disclose", targets=people(who["v32"].id), **late)
    move.seal_region(seller, exchange)
    move.receive(made.buyer.owner, exchange)
    later = {"targets": people(who["v31"].id), "countries": ["NZ"]}
    law.give(village, "after the seal", "geo_restrict", **later, **late)
    try:
        move.cut_over(seller, exchange)
    except Conflict as refused:
        noted["refused cutover"] = refused.sentence
    noted["sealed"] = move.seal_region(seller, exchange)
    noted["receipt"] = move.receive(made.buyer.owner, exchange).receipt
    move.cut_over(seller, exchange)
    between = {"targets": people(who["v30"].id), "countries": ["NZ"]}
    noted["between"] = law.try_to_give(village, "between", "geo_restrict", **between, **late)


def as_they_came(made: Move) -> tuple[dict[str, ListedOrder], list[int]]:
    """Return what the buyer has of each order, and whose erasures are held, before any job ran."""
    with made.buyer.owner.transaction() as session:
        taken = {name: given.id for name, given in made.law.orders.items() if given.id}
        found = {name: order(session, order_id) for name, order_id in taken.items()}
        return found, list(session.scalars(select(HeldErasure.subject_id)))


def roots_at_the_buyer(made: Move) -> dict[str, tuple[int, str]]:
    """Compute rows and root of every table that went along, anew, from the buyer's database."""
    digest = made.sale.proposal.digest if made.sale.proposal else ""
    secret = seller_keys(made.seller.owner).secret(digest)
    wrappings = {one.version: one for one in map(Wrapping, region_keys(made.buyer.owner).values())}
    found = {}
    with pinned(made.buyer.server.owner, is_snapshot=True) as connection:
        for table in moved_tables(Base.metadata):
            tree = tree_of(
                connection, table, secret=secret, scope_digest=digest, wrappings=wrappings
            )
            found[table.name] = tree.rows, tree.root()
    return found


def _hire_again(village: Village) -> int:
    """Give the roles anew, as another operator does; return how many the region still had."""
    with village.parts.transaction() as session:
        had = len(accounts.list_staff(session))
        for handle in STAFF:
            accounts.set_role(session, handle=handle, role=handle)
    return had


def _agreed(seller: Side, buyer: Side) -> Sale:
    told = move.buyer_file(buyer.owner, "AQ")
    with seller.owner.transaction() as session:
        sale = make_sale(session, seller.owner)
        sale.buyer_key = buyer.home.operator_key()
        choices = transfer.Choices(dispositions={"model": "exclude"})
        sale.propose(choices, recipient=told.recipient, operator=told.operator)
        sale.signed()
        sale.submit(sale.decision(sale.host))
    return sale
