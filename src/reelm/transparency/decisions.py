"""Decisions of the staff: made and reversed; by kind, ground, category and source."""

from collections.abc import Mapping

from reelm.transparency.book import Book, Taker
from reelm.transparency.orders import EVERYWHERE
from reelm.transparency.tally import Case, Entry, Tally

SECTION = "decisions"


def _decided(book: Book, tally: Tally, entry: Entry) -> None:
    kind = entry.text("decision_kind")
    tally.count(
        SECTION,
        "made",
        kind=kind,
        ground=entry.text("ground"),
        category=entry.text("category"),
        source=entry.text("source_type"),
        country=entry.texts("countries") or EVERYWHERE,
    )
    book.cases[SECTION, entry.text("decision_id")] = Case(kind, entry.at, entry.at)


def _reversed(book: Book, tally: Tally, entry: Entry) -> None:
    tally.count(SECTION, "reversed")
    case = book.cases.get((SECTION, entry.text("decision_id")))
    if case is not None and case.ended_at is None:
        case.ended_at = entry.at
        tally.time(SECTION, "reversed", case.took(entry.at, None), case.kind)


TAKERS: Mapping[str, Taker] = {
    "moderation.decided": _decided,
    "moderation.decision_reversed": _reversed,
}
