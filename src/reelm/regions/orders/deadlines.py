"""By when an order is to be carried out, and when an interim one lapses by itself."""

from datetime import datetime, timedelta

from reelm.foundation.errors import Invalid
from reelm.regions.orders.statement import RESTRICTING, OrderStatement
from reelm.regions.policy import PolicyPack


def due_at(pack: PolicyPack, statement: OrderStatement, received_at: datetime) -> datetime | None:
    """Return the earlier of the order's own date and the policy pack's; None where neither is."""
    hours = _hours(pack, statement)
    dates = [statement.complies_by]
    if hours is not None:
        dates.append(received_at + timedelta(hours=hours))
    return min((date for date in dates if date is not None), default=None)


def lapses_at(
    pack: PolicyPack, statement: OrderStatement, received_at: datetime
) -> datetime | None:
    """Return when an interim order lapses unless it is confirmed; None where it is not interim.

    Raises:
        Invalid: neither the order nor the policy pack says when.
    """
    if not statement.interim:
        return None
    hours = pack.interim_order_confirmed_within_h.value
    dates = [statement.lapses_at]
    if hours is not None:
        dates.append(received_at + timedelta(hours=hours))
    known = [date for date in dates if date is not None]
    if not known:
        raise Invalid(
            "An interim order has to say when it lapses (lapses_at), as the policy pack of "
            f"{pack.name} has no value for it."
        )
    return min(known)


def _hours(pack: PolicyPack, statement: OrderStatement) -> int | None:
    if statement.kind == "disclose":
        return pack.order_disclosure_within_h.value
    if statement.kind == "block_service":
        return pack.order_blocking_within_h.value
    if statement.kind not in RESTRICTING:
        return None
    for_category = {
        "intimate_imagery": pack.intimate_imagery_removal_within_h,
        "terrorist_content": pack.terrorist_content_removal_within_h,
    }.get(statement.category, pack.order_removal_within_h)
    return for_category.value or pack.order_removal_within_h.value
