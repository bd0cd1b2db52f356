"""How much there is in the region, as numbers that tell nothing of any one person.

Each number is rounded down to a multiple of ten, so that two looks, before and after one thing
happened, do not differ by it; below ten it is only said that it is. What stays with the seller is
not counted, and neither is what would tell of confidential orders.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec
from sqlalchemy import Table, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from reelm.accounts.models import Account
from reelm.feed.models import SignalRow
from reelm.foundation.classes import Place, Transfer, declared
from reelm.foundation.database import Base
from reelm.foundation.storage import ObjectStore
from reelm.regions import orders
from reelm.regions.models import LegalOrder
from reelm.videos.models import Video

FORM = "reelm-room-aggregates/1"
FEW: Literal["fewer than 10"] = "fewer than 10"
STEP = 10
# Only these words are told: whatever else might stand there is no word of this program.
ACCOUNT_STATES = ("active", "erasing")
VIDEO_STATES = ("processing", "ready", "failed")
# They are kept for orders, which may be confidential.
UNTOLD = frozenset({"sealed_copy", "sealed-copies", "held_erasure", "audit_opening"})
Number = int | Literal["fewer than 10"]


class Objects(msgspec.Struct, frozen=True):
    """Objects of one kind; their bytes are told where there are not few."""

    number: Number
    bytes: Number


class Aggregates(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers, each in steps of ten."""

    form: str
    rows: dict[str, Number]
    accounts_by_state: dict[str, Number]
    videos_by_state: dict[str, Number]
    signals_by_day: dict[date, Number]
    objects: dict[str, Objects]
    orders_in_force: dict[str, Number]


def aggregates(session: Session, store: ObjectStore) -> Aggregates:
    """Count what goes along in a sale."""
    tables = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    signals = select(SignalRow.day, func.count()).group_by(SignalRow.day).order_by(SignalRow.day)
    return Aggregates(
        form=FORM,
        rows={
            str(table.name): coarse(_rows(session, table)) for table in tables if _goes_along(table)
        },
        accounts_by_state=_by(session, Account.state, ACCOUNT_STATES),
        videos_by_state=_by(session, Video.state, VIDEO_STATES),
        signals_by_day={day: coarse(number) for day, number in session.execute(signals)},
        objects={
            kind: _objects(store, kind)
            for kind, one in declared(Place.OBJECTS).items()
            if one.data.transfer is Transfer.TRANSFER and kind not in UNTOLD
        },
        orders_in_force=_coarse(
            Counter(one.kind for one in orders.orders_in_force(session)).items()
        ),
    )


def coarse(number: int) -> Number:
    """Return a number in steps of ten, or that it is fewer than that."""
    return FEW if number < STEP else number // STEP * STEP


def _coarse(numbers: Iterable[tuple[str, int]]) -> dict[str, Number]:
    return {name: coarse(number) for name, number in sorted(numbers)}


def _goes_along(table: Table) -> bool:
    return table.info["data"].transfer is Transfer.TRANSFER and table.name not in UNTOLD


def _rows(session: Session, table: Table) -> int:
    query = select(func.count()).select_from(table)
    if table is LegalOrder.__table__:
        query = query.where(LegalOrder.is_confidential.is_(False))
    return session.execute(query).scalar_one()


def _by(
    session: Session, column: InstrumentedAttribute[str], states: Sequence[str]
) -> dict[str, Number]:
    query = select(column, func.count()).where(column.in_(states)).group_by(column)
    return _coarse((state, number) for state, number in session.execute(query))


def _objects(store: ObjectStore, kind: str) -> Objects:
    number = size_bytes = 0
    for one in store.list(kind):
        number += 1
        size_bytes += one.size_bytes
    told = coarse(number)
    return Objects(told, FEW if told == FEW else coarse(size_bytes))
