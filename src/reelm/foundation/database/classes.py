"""Data classes of tables: a table sets `__data__`, a column passes `info=`.

A column goes with its table; its form says how its values are kept, and so whether they are
personal. Columns with `anonymised` in their info lose their value where the table's erasure is
`ANONYMISE`; the others of such a table are kept. Columns with `rekey` are made anew when a region
is sold, as they follow from the region's key, which stays with the seller.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import MetaData

from reelm.foundation.classes import DataClass, Erasure, Form, Residency, Retention, Transfer

SEALED: dict[Any, Any] = {"form": Form.SEALED}
PUBLIC: dict[Any, Any] = {"form": Form.PUBLIC}
BEHAVIOUR: dict[Any, Any] = {"form": Form.BEHAVIOUR}
OPERATIONAL: dict[Any, Any] = {"form": Form.OPERATIONAL}


class Rekey(StrEnum):
    """How a column that follows from the region's key is made anew by the buyer of a region."""

    WRAPPED = "wrapped"  # the data key of the row's first key column: goes along, is wrapped anew
    VERSION = "version"  # which region key wrapped it: the buyer's own


REKEYED_REASON = {
    Rekey.WRAPPED: "The data key goes along and is wrapped by the buyer's region key.",
    Rekey.VERSION: "It names the region key, and the buyer has its own.",
}

# Long enough to look into what failed; ids of accounts are in it.
FINISHED_JOBS_DAYS = 30
_QUEUE = DataClass(
    Residency.REGION,
    Transfer.REBUILD,
    Erasure.EXPIRE,
    "Jobs hold ids; the buyer defers its own.",
)
_JOBS = DataClass(
    Residency.REGION,
    Transfer.REBUILD,
    Erasure.EXPIRE,
    "Jobs hold ids; the buyer defers its own.",
    # Of a finished job its last event, whose table goes with the job.
    Retention("at", days=FINISHED_JOBS_DAYS, is_log=True),
)
_MIGRATIONS = DataClass(
    Residency.REGION, Transfer.REBUILD, Erasure.KEEP, "The buyer's own migrations make the tables."
)
__all__ = [  # the words of declarations, beside what tables and columns use
    "BEHAVIOUR",
    "FINISHED_JOBS_DAYS",
    "FOREIGN_TABLES",
    "OPERATIONAL",
    "PUBLIC",
    "REKEYED_REASON",
    "SEALED",
    "DataClass",
    "Erasure",
    "Form",
    "Rekey",
    "Residency",
    "Transfer",
    "undeclared",
]
# Tables of libraries: they are in the catalogue, not in our metadata (design.md rule 4.11).
FOREIGN_TABLES: dict[str, DataClass] = {
    "alembic_version": _MIGRATIONS,
    "procrastinate_jobs": _JOBS,
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
