"""Legal orders: received, carried out, ended; by kind, authority, basis and territory."""

from collections.abc import Mapping

from reelm.transparency.book import Book, Taker
from reelm.transparency.tally import Case, Entry, Tally

SECTION = "orders"
EVERYWHERE = "everywhere"
# Orders about other orders are over as soon as they are done.
ABOUT_ORDERS = frozenset({"confirm", "lift"})


def _authority(book: Book, _: Tally, entry: Entry) -> None:
    book.authorities[entry.text("authority_id")] = entry.text("name")


def _in_force(book: Book, tally: Tally, entry: Entry) -> None:
    kind, authority_id = entry.text("order_kind"), entry.text("authority_id")
    tally.count(
        SECTION,
        "begun",
        kind=kind,
        authority=book.authorities.get(authority_id, authority_id),
        basis=entry.text("basis"),
        category=entry.text("category"),
        channel=entry.text("channel"),
        country=entry.texts("countries") or EVERYWHERE,
        standing="interim" if entry.leaf.body.get("interim") else "final",
    )
    tally.count(SECTION, "subjects", len(entry.texts("subject_ids")))
    received_at = entry.moment("received_at") or entry.at
    case = Case(kind, entry.at, received_at, entry.moment("due_at"))
    book.cases[SECTION, entry.text("order_id")] = case
    if kind in ABOUT_ORDERS:
        case.ended_at = entry.at
    if entry.moment("complied_at") is not None:
        _complied(book, tally, entry)


def _complied(book: Book, tally: Tally, entry: Entry) -> None:
    until = entry.moment("complied_at") or entry.at
    case = book.done(tally, (SECTION, entry.text("order_id")), entry.at, until)
    if case is not None:
        tally.count(SECTION, "complied", outcome="complied")


def _ended(book: Book, tally: Tally, entry: Entry) -> None:
    tally.count(SECTION, "ended", outcome=entry.text("ending"))
    case = book.cases.get((SECTION, entry.text("order_id")))
    if case is not None:
        case.ended_at = entry.at


def _entered(_: Book, tally: Tally, __: Entry) -> None:
    tally.count(SECTION, "entered")


def _refused(_: Book, tally: Tally, __: Entry) -> None:
    tally.count(SECTION, "refused", outcome="refused")


TAKERS: Mapping[str, Taker] = {
    "regions.authority_added": _authority,
    "regions.authority_changed": _authority,
    "regions.order_entered": _entered,
    "regions.order_refused": _refused,
    "regions.order_in_force": _in_force,
    "regions.order_complied": _complied,
    "regions.order_ended": _ended,
}
