"""Take an order in that its authority has signed."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.envelope import read_envelope, signers
from reelm.foundation.errors import Conflict, Invalid
from reelm.regions.clock_watch import CLOCK_SLACK, time_bounds
from reelm.regions.models import LegalOrder
from reelm.regions.orders.authorities import ordering_authority
from reelm.regions.orders.begin import begin_order, make_order, require_power
from reelm.regions.orders.statement import (
    PAYLOAD_TYPE,
    OrderStatement,
    Targets,
    read_statement,
)
from reelm.regions.policy import PolicyPack
from reelm.regions.tenure import region_id

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

# Given the targets, returns the names of those that are not there.
Unknown = Callable[[Targets], list[str]]


class TakenOrder(msgspec.Struct, frozen=True):
    """What became of an order that was handed in."""

    order_id: int
    state: str
    received_at: datetime
    due_at: datetime | None
    is_new: bool


def accept_signed(
    session: Session, pack: PolicyPack, envelope_text: bytes, unknown: Unknown
) -> TakenOrder:
    """Check a signed order and carry it out; the same one again changes nothing.

    Raises:
        Invalid: the envelope, the signatures, the powers or the statement are wrong.
        Missing: there is no such authority, or no order of a name that it gives.
        Conflict: another order has its reference, or an order that it names is not in force, or
            it has lapsed.
    """
    envelope = read_envelope(envelope_text, PAYLOAD_TYPE)
    statement = read_statement(envelope.payload)
    by = ordering_authority(session, int(statement.authority))
    signers(envelope, by.live_keys, by.threshold)
    known = known_order(session, statement, hashlib.sha256(envelope.payload).hexdigest())
    if known is not None:
        return known
    received_at = check_order(session, statement, unknown)
    require_power(session, by, statement)
    order = make_order(
        session,
        pack,
        statement,
        received_at=received_at,
        document_digest=hashlib.sha256(envelope.payload).hexdigest(),
        envelope=_text(envelope),
    )
    begin_order(session, order, received_at)
    return taken(order)


def known_order(
    session: Session, statement: OrderStatement, document_digest: str
) -> TakenOrder | None:
    """Return the order of this very document if it was taken before.

    Raises:
        Conflict: another document was taken under the same reference.
    """
    row = session.scalar(
        select(LegalOrder).where(
            LegalOrder.authority_id == int(statement.authority),
            LegalOrder.reference == statement.reference,
            LegalOrder.state != "refused",
        )
    )
    if row is None:
        return None
    if row.document_digest != document_digest:
        raise Conflict(f"Another order of this authority has the reference {row.reference}.")
    return taken(row, is_new=False)


def check_order(session: Session, statement: OrderStatement, unknown: Unknown) -> datetime:
    """Refuse an order for another region, from the future or about nothing; return the time.

    Raises:
        Invalid: says what.
    """
    here = region_id(session)
    if statement.region != here:
        raise Invalid(f"The order is for the region {statement.region}; this is {here}.")
    latest = time_bounds(session).latest
    if statement.issued_at > latest + CLOCK_SLACK:
        raise Invalid("The order was issued in the future, by the clock of this region.")
    missing = unknown(statement.targets)
    if missing:
        raise Invalid(f"There is no such target in this region: {', '.join(missing[:20])}.")
    return latest


def taken(order: LegalOrder, *, is_new: bool = True) -> TakenOrder:
    """Return what became of an order."""
    return TakenOrder(order.id, order.state, order.received_at, order.due_at, is_new)


def _text(envelope: "Envelope") -> str:
    return msgspec.json.encode(envelope.to_dict()).decode()
