"""What one month of the log comes to, and the cases that it leaves open."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from reelm.foundation.errors import Invalid
from reelm.proofs.leaf import Leaf

# Of a field that an entry does not have: an older release wrote it.
NOT_TOLD = "not_told"
ALL = "all"
Standing = Literal["in_time", "late", "no_deadline"]


class Took(NamedTuple):
    """How long something took, and whether its deadline was kept."""

    seconds: float
    standing: Standing


@dataclass
class Tally:
    """Counts of one month, by section of the report."""

    figures: Counter[tuple[str, str]] = field(default_factory=Counter)
    by: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    times: defaultdict[tuple[str, str, str], list[Took]] = field(
        default_factory=lambda: defaultdict(list)
    )
    entries: Counter[str] = field(default_factory=Counter)

    def count(self, section: str, figure: str, number: int = 1, **values: str | list[str]) -> None:
        """Count a figure, and what it is by each of its dimensions."""
        self.figures[section, figure] += number
        for dimension, found in values.items():
            for value in [found] if isinstance(found, str) else found:
                self.by[section, dimension, value] += number

    def time(self, section: str, measure: str, took: Took, value: str) -> None:
        """Take in how long one thing took, among all and among those of a kind."""
        for one in (ALL, value):
            self.times[section, measure, one].append(took)

    def add(self, other: "Tally") -> None:
        """Take in another month."""
        self.figures += other.figures
        self.by += other.by
        self.entries += other.entries
        for key, times in other.times.items():
            self.times[key] += times


@dataclass
class Case:
    """Something that begins, has a deadline, is done, and may end; times None: not so far."""

    kind: str
    began_at: datetime  # when the log tells of it
    counts_from: datetime  # its deadlines and durations
    due_at: datetime | None = None
    acknowledge_due_at: datetime | None = None
    acknowledged: bool = False
    done_at: datetime | None = None
    ended_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether it had begun and waited to be done."""
        over = [time for time in (self.done_at, self.ended_at) if time is not None]
        return self.began_at < at and all(time >= at for time in over)

    def is_overdue(self, at: datetime) -> bool:
        """Whether it was open past its deadline."""
        return self.is_open(at) and self.due_at is not None and self.due_at < at

    def is_in_force(self, at: datetime) -> bool:
        """Whether it had begun and not ended."""
        return self.began_at < at and (self.ended_at is None or self.ended_at >= at)

    def took(self, until: datetime, due_at: datetime | None) -> Took:
        """Return how long something took until a moment."""
        seconds = max((until - self.counts_from).total_seconds(), 0.0)
        if due_at is None:
            return Took(seconds, "no_deadline")
        return Took(seconds, "in_time" if until <= due_at else "late")


class Entry:
    """An entry of the log, read field by field."""

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.at = datetime.fromisoformat(leaf.at)

    def text(self, name: str, otherwise: str = NOT_TOLD) -> str:
        """Return a text."""
        value = self.leaf.body.get(name, otherwise)
        return value if isinstance(value, str) else otherwise

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self.leaf.body.get(name, [])
        return value if isinstance(value, list) else []

    def number(self, name: str) -> int:
        """Return a number."""
        value = self.leaf.body.get(name, 0)
        return value if isinstance(value, int) else 0

    def moment(self, name: str) -> datetime | None:
        """Return a time, or None where there is none.

        Raises:
            Invalid: it is written as no time is.
        """
        text = self.text(name, "")
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise Invalid(f"Entry {self.leaf.id} ({self.leaf.kind}) holds no time in {name}.")
        return found
