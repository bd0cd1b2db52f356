"""What a report is about: a calendar month in UTC, or several that follow one another."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from reelm.foundation.errors import Invalid

BETWEEN = "--"  # ISO 8601-1, 5.5.1: for an interval where a slash cannot be written
_MONTH = re.compile(r"2\d{3}-(0[1-9]|1[0-2])")
_LONGEST_MONTHS = 12


class Period(NamedTuple):
    """The months from `first` to `last`, such as 2026-11."""

    first: str
    last: str

    @property
    def name(self) -> str:
        """Such as 2026-11, or 2026-01--2026-12."""
        return self.first if self.first == self.last else f"{self.first}{BETWEEN}{self.last}"

    @property
    def begins_at(self) -> datetime:
        """The first moment of it."""
        return _begin(_number(self.first))

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return _begin(_number(self.last) + 1)

    @property
    def months(self) -> list[str]:
        """The names of its months."""
        return [_name(one) for one in range(_number(self.first), _number(self.last) + 1)]


def read_period(name: str) -> Period:
    """Return the period of a name.

    Raises:
        Invalid: it is the name of none.
    """
    first, between, last = name.partition(BETWEEN)
    last = last if between else first
    if not (_MONTH.fullmatch(first) and _MONTH.fullmatch(last)):
        raise Invalid(
            "A report is of a month, such as 2026-11, or of months, such as 2026-01--2026-12."
        )
    if not 0 <= _number(last) - _number(first) < _LONGEST_MONTHS:
        raise Invalid(f"A report is of one to {_LONGEST_MONTHS} months, the first one first.")
    return Period(first, last)


def periods(first: str, last: str, every_months: int = 1) -> Iterator[Period]:
    """Yield the periods that month `first` to month `last` lie in, the newest first.

    They begin with the year; those of twelve months are years.
    """
    newest = _number(last) // every_months * every_months
    while newest + every_months > _number(first):
        yield Period(_name(newest), _name(newest + every_months - 1))
        newest -= every_months


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _name(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _begin(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
