"""Grievances: reports and objections, acknowledged and resolved, and how long that took."""

from collections.abc import Mapping
from datetime import datetime

from reelm.transparency.book import Book, Taker
from reelm.transparency.tally import Case, Entry, Standing, Tally, Took

SECTION = "grievances"
# What an entry says of itself, by the clock that nobody can set.
_STANDINGS: Mapping[str, Standing] = {
    "yes": "in_time",
    "no": "late",
    "no_deadline": "no_deadline",
}


def _received(book: Book, tally: Tally, entry: Entry) -> None:
    kind = entry.text("grievance_kind")
    about, reason = entry.text("target_kind"), entry.text("reason")
    tally.count(SECTION, "received", kind=kind, reason=reason, about=about)
    received_at = entry.moment("received_at") or entry.at
    book.cases[SECTION, entry.text("grievance_id")] = Case(
        kind,
        entry.at,
        received_at,
        entry.moment("resolve_due_at"),
        entry.moment("acknowledge_due_at"),
    )


def _acknowledged(book: Book, tally: Tally, entry: Entry) -> None:
    case = book.cases.get((SECTION, entry.text("grievance_id")))
    if case is not None:
        standing = _STANDINGS.get(entry.text("in_time"))
        _acknowledge(tally, case, case.took(entry.at, case.acknowledge_due_at), standing)


def _resolved(book: Book, tally: Tally, entry: Entry) -> None:
    tally.count(SECTION, "resolved", outcome=entry.text("outcome"))
    case = book.cases.get((SECTION, entry.text("grievance_id")))
    if case is None:
        return
    # An answer acknowledges, too.
    _acknowledge(tally, case, case.took(entry.at, case.acknowledge_due_at))
    if case.done_at is None:
        case.done_at = entry.at
        took = _by(case, entry.at, _STANDINGS.get(entry.text("in_time")))
        tally.time(SECTION, "done", took, case.kind)


def _by(case: Case, at: datetime, standing: Standing | None) -> Took:
    took = case.took(at, case.due_at)
    return took if standing is None else took._replace(standing=standing)


def _acknowledge(tally: Tally, case: Case, took: Took, standing: Standing | None = None) -> None:
    if case.acknowledged:
        return
    case.acknowledged = True
    took = took if standing is None else took._replace(standing=standing)
    tally.count(SECTION, "acknowledged")
    tally.time(SECTION, "acknowledged", took, case.kind)


TAKERS: Mapping[str, Taker] = {
    "moderation.grievance_received": _received,
    "moderation.grievance_acknowledged": _acknowledged,
    "moderation.grievance_resolved": _resolved,
}
