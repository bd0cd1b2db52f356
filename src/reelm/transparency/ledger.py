"""Takes in one entry of the log after the other, and knows what every month comes to."""

from collections.abc import Mapping

from reelm.proofs.leaf import Leaf
from reelm.transparency import conduct, decisions, grievances, orders
from reelm.transparency.book import Book, Taker
from reelm.transparency.tally import Entry, Tally

TAKERS: Mapping[str, Taker] = {
    **orders.TAKERS,
    **decisions.TAKERS,
    **grievances.TAKERS,
    **conduct.TAKERS,
}


class Ledger(Book):
    """A book that entries are taken into, in the order of the log."""

    def take(self, leaf: Leaf) -> None:
        """Take in the next entry; it counts for the month of its own time.

        Raises:
            Invalid: one of its times is none.
        """
        entry = Entry(leaf)
        self.size += 1
        self.until = leaf.at if self.until is None else max(self.until, leaf.at)
        month = leaf.at[:7]
        self.first = month if self.first is None else min(self.first, month)
        tally = self.months.setdefault(month, Tally())
        tally.entries[leaf.kind] += 1
        if leaf.kind in TAKERS:
            TAKERS[leaf.kind](self, tally, entry)
