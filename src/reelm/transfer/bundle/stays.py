"""What does not go along as it is, by the rules that the scope names: the same on both sides."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import MetaData

from reelm.foundation.classes import Place, Transfer, declared
from reelm.foundation.database.classes import FOREIGN_TABLES, REKEYED_REASON
from reelm.transfer.bundle.tables import moved_tables
from reelm.transfer.scope import BY_CLASS, COLUMN, TABLE

PREFIX = str(Place.OBJECTS)
# Of objects alone: a row names one, and the store has lost it.
OBJECT, MISSING = "object", "missing"


class Stays(NamedTuple):
    """A table, column or prefix of objects that stays, or is made anew, by which rule and why."""

    place: str
    name: str
    rule: str
    reason: str


def what_stays(metadata: MetaData) -> Iterator[Stays]:
    """Yield what stays, as this release declares it."""
    own = {str(name): table.info["data"] for name, table in metadata.tables.items()}
    for name, data in sorted((own | FOREIGN_TABLES).items()):
        if data.transfer is not Transfer.TRANSFER:
            yield Stays(TABLE, name, BY_CLASS[data.transfer][1], data.reason)
    for table in moved_tables(metadata):
        for column, how in sorted(table.rekeyed.items()):
            yield Stays(COLUMN, f"{table.name}.{column}", "rekeyed", REKEYED_REASON[how])
    for name, kind in declared(Place.OBJECTS).items():
        if kind.data.transfer is not Transfer.TRANSFER:
            yield Stays(PREFIX, name, BY_CLASS[kind.data.transfer][1], kind.data.reason)
