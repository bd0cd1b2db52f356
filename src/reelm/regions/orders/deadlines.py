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
    """Return when an order ends by itself: an interim one unless it is confirmed, one to preserve.

    Others do not: None. What is preserved is kept no longer than the policy pack's
    `preservation_days`, and until the order is lifted where neither says how long.

    Raises:
        Invalid: neither the order nor the policy pack says when an interim order lapses.
    """
    if statement.kind == "preserve":
        days = pack.preservation_days.value
        kept_until = None if days is None else received_at + timedelta(days=days)
        dates = [date for date in (statement.lapses_at, kept_until) if date is not None]
        return min(dates, default=None)
    if not statement.interim:
        return None
    hours = pack.interim_order_confirmed_within_h.value
    confirmed_by = None if hours is None else received_at + timedelta(hours=hours)
    known = [date for date in (statement.lapses_at, confirmed_by) if date is not None]
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
