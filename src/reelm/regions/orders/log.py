"""Log what happens to an order; of a confidential one only a commitment is published."""

from sqlalchemy.orm import Session

from reelm import audit
from reelm.regions.models import LegalOrder


def record_order(
    session: Session, order: LegalOrder, kind: str, **body: str | int | bool | list[str]
) -> None:
    """Log an act about an order in the session's transaction."""
    record = audit.record_confidential if order.is_confidential else audit.record
    record(session, kind, order_id=str(order.id), **body)
