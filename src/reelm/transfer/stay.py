"""A court's stay: while one is in force no step of the sale is taken but status and abort."""

from sqlalchemy.orm import Session

from reelm.foundation.errors import Conflict
from reelm.regions import orders


def refuse_if_stayed(session: Session) -> None:
    """Refuse a step of the sale while an order stays it.

    Raises:
        Conflict: says who stays it, by which order, and since when.
    """
    for stay in orders.stays_in_force(session):
        raise Conflict(f"The sale is stayed: {said(stay)}. It goes on once that order is lifted.")


def said(stay: orders.Stay) -> str:
    """Return who stays the sale, by what, since when."""
    since = f"{stay.since:%Y-%m-%d %H:%M} UTC"
    return f"{stay.authority} ordered it (reference {stay.reference}, {stay.basis}), since {since}"
