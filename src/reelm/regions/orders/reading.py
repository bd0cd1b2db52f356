"""Read orders: one, those that are due, those in force."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from reelm.foundation.errors import Invalid, Missing
from reelm.foundation.ids import MAX_ID
from reelm.regions.clock_watch import time_bounds
from reelm.regions.models import Authority, LegalOrder

NO_ORDER = "There is no such order in this region."
# What people ask for: the states, and how an order ended.
STATES = ("entered", "in_force", "complied", "ended", "lifted", "lapsed", "refused")
_WAITING = LegalOrder.complied_at.is_(None) & LegalOrder.state.in_(("entered", "in_force"))


class ListedOrder(msgspec.Struct, frozen=True):
    """An order as staff and its own authority see it."""

    id: int
    authority_id: int
    authority: str
    reference: str
    kind: str
    category: str
    basis: str
    reasons: str
    targets: dict[str, list[str]]
    countries: list[str] | None
    is_interim: bool
    is_confidential: bool
    state: str
    ending: str | None
    issued_at: datetime
    received_at: datetime
    due_at: datetime | None
    in_force_at: datetime | None
    complied_at: datetime | None
    lapses_at: datetime | None
    ended_at: datetime | None
    ended_by: int | None
    document_digest: str
    is_signed: bool
    entered_by: int | None
    checked_by: int | None
    is_overdue: bool


def order(session: Session, order_id: int) -> ListedOrder:
    """Return one order.

    Raises:
        Missing: there is no such order.
    """
    found = _read(session, LegalOrder.id == order_id, limit=1)
    if not found:
        raise Missing(NO_ORDER)
    return found[0]


def order_of_document(session: Session, document_digest: str) -> int | None:
    """Return the id of the order that was taken in with this document, or None."""
    return session.scalar(
        select(LegalOrder.id)
        .where(LegalOrder.document_digest == document_digest)
        .order_by(LegalOrder.id.desc())
        .limit(1)
    )


def orders(
    session: Session,
    *,
    state: str | None = None,
    authority_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[ListedOrder]:
    """Return orders, the newest first; `before_id` is the last id of the page before.

    Raises:
        Invalid: there is no such state.
    """
    conditions: list[ColumnElement[bool]] = []
    if state is not None and state not in STATES:
        raise Invalid(f"There is no state {state!r}; the states are: {', '.join(STATES)}.")
    if state is not None:
        conditions.append((LegalOrder.state == state) | (LegalOrder.ending == state))
    if authority_id is not None:
        conditions.append(LegalOrder.authority_id == authority_id)
    if before_id is not None:
        conditions.append(LegalOrder.id < before_id)
    return _read(session, *conditions, limit=limit)


def orders_due(session: Session, *, limit: int = 50) -> list[ListedOrder]:
    """Return the orders that wait to be checked or complied with, the first due first."""
    return _read(session, _WAITING, limit=limit, by=LegalOrder.due_at.asc().nulls_last())


class WaitingOrders(msgspec.Struct, frozen=True):
    """How many orders wait for a second officer or to be complied with, and are late in that."""

    entered: int
    in_force: int
    entered_overdue: int
    in_force_overdue: int


def waiting_orders(session: Session) -> WaitingOrders:
    """Count the orders that wait and are not confidential: whoever watches may see the number."""
    is_late = LegalOrder.due_at < time_bounds(session).latest
    rows = session.execute(
        select(LegalOrder.state, func.count(), func.count().filter(is_late))
        .where(_WAITING, LegalOrder.is_confidential.is_(False))
        .group_by(LegalOrder.state)
    )
    found = {state: (count, late) for state, count, late in rows}
    entered, in_force = found.get("entered", (0, 0)), found.get("in_force", (0, 0))
    return WaitingOrders(entered[0], in_force[0], entered[1], in_force[1])


def orders_in_force(session: Session) -> list[ListedOrder]:
    """Return the orders in force that may be told to anybody."""
    open_ = LegalOrder.state == "in_force", LegalOrder.is_confidential.is_(False)
    return _read(session, *open_, limit=1000)


def orders_named(
    session: Session, authority_id: int, references: Sequence[str]
) -> list[LegalOrder]:
    """Return the orders that an authority names, locked, in the order of their ids.

    A name is a reference of the authority itself, or `<authority id>/<reference>` of another.

    Raises:
        Missing: there is none of one of these names.
    """
    found = {}
    for name in references:
        whose, slash, rest = name.partition("/")
        candidates = [(authority_id, name)]
        if slash and whose.isascii() and whose.isdigit() and int(whose) <= MAX_ID:
            candidates.append((int(whose), rest))
        ids = [_id_of(session, *candidate) for candidate in candidates]
        order_id = next((one for one in ids if one is not None), None)
        if order_id is None:
            raise Missing(f"There is no order {name} here.")
        found[order_id] = name
    locked = select(LegalOrder).where(LegalOrder.id.in_(found)).order_by(LegalOrder.id)
    return list(
        session.scalars(locked.with_for_update(), execution_options={"populate_existing": True})
    )


def _id_of(session: Session, authority_id: int, reference: str) -> int | None:
    return session.scalar(
        select(LegalOrder.id).where(
            LegalOrder.authority_id == authority_id,
            LegalOrder.reference == reference,
            LegalOrder.state != "refused",
        )
    )


def _read(
    session: Session, *conditions: ColumnElement[bool], limit: int, by: Any = None
) -> list[ListedOrder]:
    query = (
        select(LegalOrder, Authority.name)
        .join(Authority, Authority.id == LegalOrder.authority_id)
        .where(*conditions)
        .order_by(LegalOrder.id.desc() if by is None else by, LegalOrder.id.desc())
        .limit(limit)
    )
    latest = time_bounds(session).latest
    return [_listed(row, name, latest) for row, name in session.execute(query)]


def _listed(row: LegalOrder, authority: str, latest: datetime) -> ListedOrder:
    # What was complied with, or ended before, is not late from then on.
    until = row.complied_at or row.ended_at or latest
    late = row.due_at is not None and until > row.due_at
    values: dict[str, Any] = {
        name: getattr(row, name) for name in ListedOrder.__struct_fields__ if hasattr(row, name)
    }
    return ListedOrder(
        **values,
        authority=authority,
        is_signed=row.envelope is not None,
        is_overdue=late and row.state != "refused",
    )
