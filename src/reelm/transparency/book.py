"""What is known of a log so far: its months, its cases, the names of its authorities."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from reelm.transparency.tally import Case, Entry, Tally


@dataclass
class Book:
    """The months of a log, and its cases by section and id."""

    size: int = 0  # entries taken in
    until: str | None = None  # the time of the newest of them
    first: str | None = None  # the first month that has any
    months: dict[str, Tally] = field(default_factory=dict)
    cases: dict[tuple[str, str], Case] = field(default_factory=dict)
    authorities: dict[str, str] = field(default_factory=dict)  # id -> name

    @property
    def last(self) -> str | None:
        """The last month that has any."""
        return None if self.until is None else self.until[:7]

    def tally(self, months: list[str]) -> Tally:
        """Return what several months come to."""
        total = Tally()
        for month in months:
            if month in self.months:
                total.add(self.months[month])
        return total

    def count_cases(self, section: str, holds: Callable[[Case], bool]) -> int:
        """Return how many cases of a section are so."""
        return sum(1 for (of, _), case in self.cases.items() if of == section and holds(case))

    def done(
        self, tally: Tally, case_id: tuple[str, str], at: datetime, until: datetime
    ) -> Case | None:
        """Mark a case as done at `at`, having taken until `until`.

        Returns:
            The case; None where there is none, or it was done before.
        """
        case = self.cases.get(case_id)
        if case is None or case.done_at is not None:
            return None
        case.done_at = at
        tally.time(case_id[0], "done", case.took(until, case.due_at), case.kind)
        return case


# Takes an entry of one kind into the book and into its month.
Taker = Callable[[Book, Tally, Entry], None]
