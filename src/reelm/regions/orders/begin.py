"""Put an order in force: its row, what it withholds, its entry in the log, its event."""

from datetime import datetime
from math import ceil

from sqlalchemy.orm import Session

from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.events import publish
from reelm.foundation.ids import new_id
from reelm.foundation.jobs import defer
from reelm.regions.clock_watch import time_bounds
from reelm.regions.events import OrderInForce
from reelm.regions.models import LegalOrder
from reelm.regions.orders.authorities import KnownAuthority
from reelm.regions.orders.deadlines import due_at, lapses_at
from reelm.regions.orders.end import end_order
from reelm.regions.orders.log import record_order
from reelm.regions.orders.reading import orders_named
from reelm.regions.orders.statement import (
    ABOUT_ORDERS,
    POWER_FOR,
    RESTRICTING,
    OrderStatement,
    Targets,
)
from reelm.regions.policy import PolicyPack
from reelm.regions.restrictions import SERVICE, restrict
from reelm.regions.tasks import LAPSE_ORDERS


def make_order(
    session: Session,
    pack: PolicyPack,
    statement: OrderStatement,
    *,
    received_at: datetime,
    document_digest: str,
    envelope: str | None = None,
    entered_by: int | None = None,
) -> LegalOrder:
    """Return the row of an order that nobody has acted on yet.

    One about a confidential order is confidential: it would tell which order that is, and whose.

    Raises:
        Invalid: it is confidential where the law allows none to be, or nobody knows when it lapses.
    """
    if statement.confidential and pack.orders_may_be_confidential.value is False:
        raise Invalid(f"By the policy pack of {pack.name} an order cannot be confidential.")
    return LegalOrder(
        id=new_id(),
        authority_id=int(statement.authority),
        reference=statement.reference,
        kind=statement.kind,
        category=statement.category,
        basis=statement.basis,
        reasons=statement.reasons,
        targets={name: getattr(statement.targets, name) for name in Targets.__struct_fields__},
        countries=statement.countries,
        is_interim=statement.interim,
        is_confidential=statement.confidential or _names_confidential(session, statement),
        state="entered",
        issued_at=statement.issued_at,
        received_at=received_at,
        due_at=due_at(pack, statement, received_at),
        lapses_at=lapses_at(pack, statement, received_at),
        document_digest=document_digest,
        envelope=envelope,
        entered_by=entered_by,
    )


def require_power(session: Session, by: KnownAuthority, statement: OrderStatement) -> None:
    """Refuse an order that its authority has no power to give.

    Raises:
        Invalid: says which power it lacks, or whose order it would touch.
        Missing: there is no order of a reference that it names.
        Conflict: an order that it names has ended, or has nothing to confirm.
    """
    if by.ended_at is not None:
        raise Invalid(f"The authority {by.name} is no longer one in this region.")
    if statement.kind not in ABOUT_ORDERS:
        power = POWER_FOR[statement.kind]
        if power not in by.powers:
            raise Invalid(f"The authority {by.name} does not have the power {power}.")
        if statement.kind == "disclose" and by.recipient is None:
            raise Invalid(
                f"The authority {by.name} has no age recipient to which a disclosure could be"
                " encrypted; it has to be registered with one (--recipient) first."
            )
        return
    for about in _named(session, statement):
        if about.authority_id != by.id and "supervise" not in by.powers:
            raise Invalid(f"The order {about.reference} is another authority's.")
        if about.state != "in_force":
            raise Conflict(f"The order {about.reference} is not in force.")
        if statement.kind == "confirm" and not about.is_interim:
            raise Conflict(f"The order {about.reference} is not interim.")
        if statement.kind == "confirm":
            require_time_left(session, about)


def require_time_left(session: Session, order: LegalOrder) -> None:
    """Refuse what would hold, or go on to hold, after its time.

    Raises:
        Conflict: the order has lapsed, by the earlier of the machine's clocks.
    """
    if order.lapses_at is not None and order.lapses_at <= time_bounds(session).earliest:
        raise Conflict(
            f"The order {order.reference} lapsed at {utc_text(order.lapses_at)}; give a new one."
        )


def begin_order(session: Session, order: LegalOrder, at: datetime) -> None:
    """Carry an order out, or begin to, in the session's transaction.

    What it withholds is withheld from the commit on. What has to be gathered for it, as for a
    disclosure, is left to whoever hears of `OrderInForce`.

    Raises:
        Conflict: it has lapsed already.
    """
    require_time_left(session, order)
    session.add(order)
    order.in_force_at = at
    order.state = "in_force"
    session.flush()
    about_ids = _act_on_others(session, order) if order.kind in ABOUT_ORDERS else []
    if order.kind in RESTRICTING:
        _withhold(session, order)
    if order.kind != "disclose":
        order.complied_at = at
    if order.kind in ABOUT_ORDERS:
        order.state = "complied"
    session.flush()
    _log(session, order, about_ids)
    publish(session, OrderInForce(order_id=order.id))
    if order.is_interim and order.lapses_at is not None:
        # Beside the look of every minute, so that nothing is withheld that much longer.
        defer(session, LAPSE_ORDERS, after_s=ceil((order.lapses_at - at).total_seconds()))


def _act_on_others(session: Session, order: LegalOrder) -> list[int]:
    named = orders_named(session, order.authority_id, order.targets["orders"])
    for about in named:
        if order.kind == "lift":
            end_order(session, about, "lifted", ended_by=order)
        else:
            about.is_interim, about.lapses_at = False, None
    return [about.id for about in named]


def _named(session: Session, statement: OrderStatement) -> list[LegalOrder]:
    return orders_named(session, int(statement.authority), statement.targets.orders)


def _names_confidential(session: Session, statement: OrderStatement) -> bool:
    return any(about.is_confidential for about in _named(session, statement))


def _withhold(session: Session, order: LegalOrder) -> None:
    for subject_id in _subject_ids(order) or [SERVICE]:
        restrict(
            session,
            source="order",
            source_id=order.id,
            subject_id=subject_id,
            countries=order.countries,
        )


def _subject_ids(order: LegalOrder) -> list[int]:
    return list(dict.fromkeys(Targets(**order.targets).subject_ids))


def _log(session: Session, order: LegalOrder, about_ids: list[int]) -> None:
    times = {"due_at": order.due_at, "complied_at": order.complied_at}
    record_order(
        session,
        order,
        "regions.order_in_force",
        authority_id=str(order.authority_id),
        order_kind=order.kind,
        basis=order.basis,
        category=order.category,
        channel="paper" if order.envelope is None else "signed",
        document_digest=order.document_digest,
        subject_ids=[str(subject_id) for subject_id in _subject_ids(order)],
        order_ids=[str(order_id) for order_id in about_ids],
        countries=order.countries or [],
        interim=order.is_interim,
        received_at=utc_text(order.received_at),
        **{name: utc_text(time) for name, time in times.items() if time is not None},
    )
