"""Orders about people's data: which ones hold for an account, and when they were complied with.

What is copied for them is room accounts' (sealed_copies.py), which this room does not know.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Conflict, Missing
from reelm.regions.models import LegalOrder
from reelm.regions.orders.log import record_order
from reelm.regions.orders.reading import NO_ORDER

DATA_KINDS = ("preserve", "disclose")


def data_orders_on(session: Session, account_id: int) -> list[tuple[int, str]]:
    """Return id and kind of the orders in force to preserve or disclose data of an account."""
    rows = session.execute(
        select(LegalOrder.id, LegalOrder.kind)
        .where(
            LegalOrder.state == "in_force",
            LegalOrder.kind.in_(DATA_KINDS),
            LegalOrder.targets.contains({"accounts": [str(account_id)]}),
        )
        .order_by(LegalOrder.id)
    )
    return [(row.id, row.kind) for row in rows]


def data_orders_in_force(session: Session) -> list[int]:
    """Return the orders in force to preserve or disclose data, the first received first."""
    return list(
        session.scalars(
            select(LegalOrder.id)
            .where(LegalOrder.state == "in_force", LegalOrder.kind.in_(DATA_KINDS))
            .order_by(LegalOrder.id)
        )
    )


def still_in_force(session: Session, order_id: int) -> bool:
    """Return whether an order is in force, and keep it from ending until the commit."""
    order = _locked(session, order_id)
    return order is not None and order.state == "in_force"


def comply(session: Session, order_id: int, at: datetime) -> None:
    """Say that what an order asked for was done; a second time changes nothing.

    Raises:
        Missing: there is no such order.
        Conflict: it is not in force.
    """
    order = _locked(session, order_id)
    if order is None:
        raise Missing(NO_ORDER)
    if order.state == "complied":
        return
    if order.state != "in_force":
        raise Conflict("This order is not in force.")
    order.state, order.complied_at = "complied", at
    session.flush()
    record_order(session, order, "regions.order_complied", complied_at=utc_text(at))


def record_about(
    session: Session, order_id: int, kind: str, **body: str | int | bool | list[str]
) -> None:
    """Log an act for an order; of a confidential order only a commitment is published."""
    record_order(session, session.get_one(LegalOrder, order_id), kind, **body)


def _locked(session: Session, order_id: int) -> LegalOrder | None:
    return session.get(LegalOrder, order_id, with_for_update=True, populate_existing=True)
