"""An order comes to its end: lifted by another, or lapsed because nobody confirmed it."""

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.events import publish
from reelm.regions.clock_watch import Clocks, mark_clocks
from reelm.regions.events import OrderEnded
from reelm.regions.models import LegalOrder
from reelm.regions.orders.log import record_order
from reelm.regions.restrictions import unrestrict

Ending = Literal["lifted", "lapsed"]


def end_order(
    session: Session, order: LegalOrder, ending: Ending, *, ended_by: LegalOrder | None = None
) -> None:
    """End an order that is in force: what it alone withheld is there again from the commit on."""
    order.state, order.ending = "ended", ending
    order.ended_at, order.ended_by = now(), None if ended_by is None else ended_by.id
    session.flush()
    unrestrict(session, order.id)
    # An open entry does not tell of a confidential order that lifted this one and others.
    is_told = ended_by is not None and (order.is_confidential or not ended_by.is_confidential)
    by = {"ended_by": str(order.ended_by)} if is_told else {}
    record_order(session, order, "regions.order_ended", ending=ending, **by)
    publish(session, OrderEnded(order_id=order.id))


def lapse_orders(session: Session, clocks: Clocks | None = None) -> list[int]:
    """End the interim orders that nobody confirmed in time, and return their ids.

    Where the machine's clocks disagree, an order lapses once the earlier one has come so far.
    """
    bounds = mark_clocks(session, clocks)
    lapsed = session.scalars(
        select(LegalOrder)
        .where(LegalOrder.state == "in_force", LegalOrder.lapses_at <= bounds.earliest)
        .order_by(LegalOrder.id)
        .with_for_update()
    ).all()
    for order in lapsed:
        end_order(session, order, "lapsed")
    return [order.id for order in lapsed]
