"""Orders on paper: one officer enters what the document says, another checks it against it.

The second shows by its digest to have the same document, so nobody is told the digest before: the
log has it from the check on, and of what was refused, which may be entered anew, never.
"""

import re
from datetime import datetime

from sqlalchemy.orm import Session

from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing
from reelm.regions.clock_watch import time_bounds
from reelm.regions.models import LegalOrder
from reelm.regions.orders.accept import TakenOrder, Unknown, check_order, known_order, taken
from reelm.regions.orders.authorities import ordering_authority
from reelm.regions.orders.begin import begin_order, make_order, require_power, require_time_left
from reelm.regions.orders.log import record_order
from reelm.regions.orders.reading import NO_ORDER
from reelm.regions.orders.statement import OrderStatement, Targets, check
from reelm.regions.policy import PolicyPack
from reelm.regions.tenure import region_id


def enter_on_paper(
    session: Session,
    pack: PolicyPack,
    statement: OrderStatement,
    unknown: Unknown,
    *,
    document_digest: str,
    received_at: datetime,
    entered_by: int,
) -> TakenOrder:
    """Keep what an officer read in a document; it holds once somebody else has checked it.

    Args:
        session: the transaction.
        pack: the policy pack of the region.
        statement: what the document says.
        unknown: tells which targets are not there.
        document_digest: SHA-256 of the document, 64 hex digits.
        received_at: when the document came; its deadlines count from then.
        entered_by: the officer's account.

    Raises:
        Invalid: a field is wrong, or the authority has no such power.
        Missing: there is no such authority.
        Conflict: another order has its reference.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", document_digest):
        raise Invalid("The document's SHA-256 is 64 hex digits.")
    check(statement)
    by = ordering_authority(session, int(statement.authority))
    known = known_order(session, statement, document_digest)
    if known is not None:
        return known
    at = check_order(session, statement, unknown)
    if not statement.issued_at <= received_at <= at:
        raise Invalid("The document came after it was issued, and not in the future.")
    require_power(session, by, statement)
    order = make_order(
        session,
        pack,
        statement,
        received_at=received_at,
        document_digest=document_digest,
        entered_by=entered_by,
    )
    require_time_left(session, order)
    session.add(order)
    session.flush()
    _log(session, order, "regions.order_entered", entered_by)
    return taken(order)


def check_paper(
    session: Session, order_id: int, unknown: Unknown, *, checked_by: int, agrees: bool
) -> TakenOrder:
    """Put an entered order in force after a second look at its document, or refuse it.

    Raises:
        Missing: there is no such order.
        Forbidden: the one who entered it cannot check it.
        Conflict: it was checked already.
        Invalid: it can no longer be carried out as it was entered.
    """
    order = session.get(LegalOrder, order_id, with_for_update=True, populate_existing=True)
    if order is None:
        raise Missing(NO_ORDER)
    if order.state != "entered":
        raise Conflict("This order was checked already.")
    if order.entered_by == checked_by:
        raise Forbidden("Somebody else has to check what you entered.")
    order.checked_by = checked_by
    if not agrees:
        order.state = order.ending = "refused"
        session.flush()
        _log(session, order, "regions.order_refused", checked_by)
        return taken(order)
    statement = _statement(session, order)
    check_order(session, statement, unknown)
    require_power(session, ordering_authority(session, order.authority_id), statement)
    session.flush()
    digest = order.document_digest
    _log(session, order, "regions.order_checked", checked_by, document_digest=digest)
    begin_order(session, order, time_bounds(session).latest)
    return taken(order)


def _statement(session: Session, order: LegalOrder) -> OrderStatement:
    return OrderStatement(
        form="reelm-order/1",
        region=region_id(session),
        authority=str(order.authority_id),
        reference=order.reference,
        kind=order.kind,  # type: ignore[arg-type]  # the column holds what the form takes
        basis=order.basis,
        issued_at=order.issued_at,
        reasons=order.reasons,
        targets=Targets(**order.targets),
        countries=order.countries,
    )


def _log(session: Session, order: LegalOrder, kind: str, officer_id: int, **body: str) -> None:
    record_order(session, order, kind, officer_id=str(officer_id), **body)
