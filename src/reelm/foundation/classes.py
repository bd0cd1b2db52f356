"""Data classes: what everything that holds data declares about residency, sale and erasure.

A table sets `__data__` and a column passes `info=` (database/classes.py). What is no table is
declared by its name, where it is defined:

    ORIGINALS = declare(Place.OBJECTS, "originals", "files as uploaded", DataClass(...))

The object store, the queue of jobs, the metrics and the log refuse names that nobody declared, so
that forgetting fails. `reelm data map`, retention, export, erasure and the sale of a region read
these declarations and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reelm.foundation.errors import Unavailable


class Residency(StrEnum):
    """Where the data may lie."""

    REGION = "region"  # never outside the region's border
    PUBLIC = "public"  # already published to anyone


class Transfer(StrEnum):
    """What a sale does with the data."""

    TRANSFER = "transfer"
    EXCLUDE = "exclude"  # stays with the seller, with a written reason
    REBUILD = "rebuild"  # made anew by the buyer


class Erasure(StrEnum):
    """What becomes of the data when their account is erased."""

    DELETE = "delete"
    KEEP = "keep"  # not about one person, or held by law
    ANONYMISE = "anonymise"
    EXPIRE = "expire"  # gone by itself after a while


class Form(StrEnum):
    """How a column's values are kept."""

    SEALED = "sealed"  # AES-256-GCM under the account's data key
    PUBLIC = "plain public"
    BEHAVIOUR = "plain behaviour"
    OPERATIONAL = "operational"  # no personal data


class Place(StrEnum):
    """What else than a table holds data."""

    OBJECTS = "object prefix"
    QUEUE = "job queue"
    LOG_FIELD = "log field"
    LABEL = "metric label"
    FILES = "file"


@dataclass(frozen=True)
class Retention:
    """How long rows are kept, counted from a column of theirs; regions/retention.py deletes them.

    Args:
        column: the time or date from which it is counted.
        days_key: the key of the policy pack that says how many days; empty: none does.
        days: our own rule where the pack has no value; None: the rows are kept then.
        is_log: whether they are logs, which the pack's `log_retention_days` keeps at least.
    """

    column: str
    days_key: str = ""
    days: int | None = None
    is_log: bool = False


@dataclass(frozen=True)
class DataClass:
    """The declaration of one table, prefix, queue, field, label or kind of file."""

    residency: Residency
    transfer: Transfer
    erasure: Erasure
    reason: str = ""
    retention: Retention | None = None

    def __post_init__(self) -> None:
        if self.transfer is not Transfer.TRANSFER and not self.reason:
            raise ValueError("What does not transfer needs a written reason.")


@dataclass(frozen=True)
class Declared:
    """What is declared of one name: what it holds, in words, and its data class."""

    name: str
    holds: str
    data: DataClass


_DECLARED: dict[Place, dict[str, Declared]] = {place: {} for place in Place}


def declare(place: Place, name: str, holds: str, data: DataClass) -> str:
    """Declare the data class of a name, and return the name."""
    there = _DECLARED[place].setdefault(name, Declared(name, holds, data))
    if there != Declared(name, holds, data):
        raise ValueError(f"The {place} {name!r} is declared twice, and differently.")
    return name


def declared(place: Place) -> dict[str, Declared]:
    """Return all that is declared of a kind, by name."""
    return dict(sorted(_DECLARED[place].items()))


def undeclared_names(place: Place, names: Iterable[str]) -> list[str]:
    """Say of each name that nobody declared what to do, in a sentence without its end."""
    return [
        f"{place} {name!r}: call `declare(Place.{place.name}, {name!r}, ...)` where it is defined,"
        " or remove it"
        for name in sorted(set(names) - _DECLARED[place].keys())
    ]


def refuse_undeclared(place: Place, *names: str) -> None:
    """Refuse names that nobody declared.

    Raises:
        Unavailable: names each and says what to do.
    """
    faults = undeclared_names(place, names)
    if faults:
        raise Unavailable(NOT_DECLARED.format("; ".join(faults)))


NOT_DECLARED = "Not everything declares its data class: {}."
