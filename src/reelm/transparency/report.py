"""The report of a period: what its months come to, and what was open when it ended."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Missing
from reelm.foundation.strict_json import canonical
from reelm.proofs.leaf import Leaf
from reelm.transparency.book import Book
from reelm.transparency.ledger import Ledger
from reelm.transparency.period import Period
from reelm.transparency.tally import Tally, Took
from reelm.transparency.words import SECTIONS

FORM = "reelm-transparency/1"
# Times of the log have six digits of a second's fraction.
_INSTANT = timedelta(microseconds=1)


class Times(msgspec.Struct, frozen=True):
    """How long something took, and how often its deadline was kept.

    `in_time_share` is of those that had a deadline; None where none had.
    """

    count: int
    median_s: float
    longest_s: float
    in_time: int
    late: int
    no_deadline: int
    in_time_share: float | None


class Section(msgspec.Struct, frozen=True):
    """Figures; the same by each dimension; times by what took them and of which kind."""

    figures: dict[str, int]
    by: dict[str, dict[str, int]]
    times: dict[str, dict[str, Times]]


class TransparencyReport(msgspec.Struct, frozen=True):
    """What the log says of a period; `ends_at` is the first moment after it."""

    form: str
    period: str
    begins_at: str
    ends_at: str
    sections: dict[str, Section]
    entries: dict[str, int]  # all entries of the period, by kind

    @property
    def digest(self) -> str:
        """SHA-256 of the report in canonical JSON (RFC 8785), in hex."""
        return hashlib.sha256(canonical(self)).hexdigest()


class FromLog(msgspec.Struct, frozen=True):
    """The log that a report was computed from, and the time of its newest entry."""

    origin: str
    size: int
    root: str
    until: str | None


class PublishedReport(msgspec.Struct, frozen=True):
    """A report with its digest, whether it changes no more, and where it comes from."""

    report: TransparencyReport
    digest: str
    is_finished: bool
    log: FromLog


def transparency_report(entries: Iterable[Leaf], period: Period) -> TransparencyReport:
    """Compute the report of a period from the entries of a log, in their order, and nothing else.

    Raises:
        Invalid: an entry holds a time that is none.
    """
    ledger = Ledger()
    for leaf in entries:
        ledger.take(leaf)
    return report_of(ledger, period)


def publish_report(ledger: Ledger, period: Period, log: FromLog) -> PublishedReport:
    """Return the report of a period; it is finished once the log has an entry from after it.

    Raises:
        Missing: the log has nothing of the period, or has not begun.
    """
    first, last = ledger.first, ledger.last
    if first is None or last is None:
        raise Missing(f"There is no report of {period.name}: the log is empty.")
    if period.last < first or last < period.first:
        raise Missing(f"There is no report of {period.name}: the log goes from {first} to {last}.")
    report = report_of(ledger, period)
    return PublishedReport(report, report.digest, period.last < last, log)


def report_of(book: Book, period: Period) -> TransparencyReport:
    """Return the report of a period."""
    tally = book.tally(period.months)
    return TransparencyReport(
        form=FORM,
        period=period.name,
        begins_at=utc_text(period.begins_at),
        ends_at=utc_text(period.ends_at),
        sections={name: _section(book, tally, period, name) for name in SECTIONS},
        entries=_sorted(tally.entries),
    )


def _end(book: Book, period: Period) -> datetime:
    """Return the moment before which all counts: the period's end, or as far as the log goes."""
    if book.until is None:
        return period.ends_at
    return min(period.ends_at, datetime.fromisoformat(book.until) + _INSTANT)


def _section(book: Book, tally: Tally, period: Period, name: str) -> Section:
    words, end = SECTIONS[name], _end(book, period)
    at_end = {
        "open_at_end": lambda case: case.is_open(end),
        "overdue_at_end": lambda case: case.is_overdue(end),
        "in_force_at_end": lambda case: case.is_in_force(end),
    }
    figures = {
        figure: book.count_cases(name, at_end[figure])
        if figure in at_end
        else tally.figures[name, figure]
        for figure in words.figures
    }
    by = {
        dimension: _sorted(
            {value: n for (of, at, value), n in tally.by.items() if (of, at) == (name, dimension)}
        )
        for dimension in words.by
    }
    times = {
        measure: {
            value: _times(took)
            for (of, at, value), took in sorted(tally.times.items())
            if (of, at) == (name, measure)
        }
        for measure in words.times
    }
    return Section(figures, by, times)


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    """Return what is counted most first, and of the same number by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _times(took: Sequence[Took]) -> Times:
    seconds = [one.seconds for one in took]
    standings = [one.standing for one in took]
    in_time, late = standings.count("in_time"), standings.count("late")
    return Times(
        count=len(took),
        median_s=round(median(seconds), 3),
        longest_s=round(max(seconds), 3),
        in_time=in_time,
        late=late,
        no_deadline=standings.count("no_deadline"),
        in_time_share=round(in_time / (in_time + late), 4) if in_time + late else None,
    )
