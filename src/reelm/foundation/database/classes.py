"""Data classes: what each table and column declares about residency, sale and erasure.

A table sets `__data__`, a column passes `info=`. A test and the boot fail when one is missing;
`reelm data map` and the sale of a region read these declarations and nothing else.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import MetaData


class Residency(StrEnum):
    """Where the rows may lie."""

    REGION = "region"  # never outside the region's border
    PUBLIC = "public"  # already published to anyone


class Transfer(StrEnum):
    """What a sale does with the rows."""

    TRANSFER = "transfer"
    EXCLUDE = "exclude"  # stays with the seller, with a written reason
    REBUILD = "rebuild"  # made anew by the buyer


class Erasure(StrEnum):
    """What becomes of the rows when their account is erased."""

    DELETE = "delete"
    KEEP = "keep"  # not about one person, or held by law
    ANONYMISE = "anonymise"
    EXPIRE = "expire"  # gone by itself within the retention of the policy pack


class Form(StrEnum):
    """How a column's values are kept."""

    SEALED = "sealed"  # AES-256-GCM under the account's data key
    PUBLIC = "plain public"
    BEHAVIOUR = "plain behaviour"
    OPERATIONAL = "operational"  # no personal data


@dataclass(frozen=True)
class DataClass:
    """The declaration of one table."""

    residency: Residency
    transfer: Transfer
    erasure: Erasure
    reason: str = ""

    def __post_init__(self) -> None:
        if self.transfer is not Transfer.TRANSFER and not self.reason:
            raise ValueError("A table that does not transfer needs a written reason.")


SEALED: dict[Any, Any] = {"form": Form.SEALED}
PUBLIC: dict[Any, Any] = {"form": Form.PUBLIC}
BEHAVIOUR: dict[Any, Any] = {"form": Form.BEHAVIOUR}
OPERATIONAL: dict[Any, Any] = {"form": Form.OPERATIONAL}

_QUEUE = DataClass(
    Residency.REGION, Transfer.REBUILD, Erasure.EXPIRE, "Jobs hold ids; the buyer defers its own."
)
_MIGRATIONS = DataClass(
    Residency.REGION, Transfer.REBUILD, Erasure.KEEP, "The buyer's own migrations make the tables."
)
# Tables of libraries: they are in the catalogue, not in our metadata (design.md rule 4.11).
FOREIGN_TABLES: dict[str, DataClass] = {
    "alembic_version": _MIGRATIONS,
    "procrastinate_jobs": _QUEUE,
    "procrastinate_events": _QUEUE,
    "procrastinate_periodic_defers": _QUEUE,
    "procrastinate_workers": _QUEUE,
}


def undeclared(metadata: MetaData, catalogue: dict[str, set[str]]) -> list[str]:
    """Name each table and column of the live catalogue that declares no data class.

    Args:
        metadata: the declared tables.
        catalogue: table name -> column names, as the database has them.
    """
    faults = []
    for table, columns in sorted(catalogue.items()):
        if table in FOREIGN_TABLES:
            continue
        declared = metadata.tables.get(table)
        if declared is None or "data" not in declared.info:
            faults.append(f"table {table}: set `__data__ = DataClass(...)` on its model")
            continue
        faults += [
            f"column {table}.{column}: pass `info=` with one of the forms"
            for column in sorted(columns)
            if column not in declared.columns or "form" not in declared.columns[column].info
        ]
    return faults
