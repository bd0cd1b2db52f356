"""Take in what operators and authorities signed about the open sale, and say what became of it."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import utc_text
from reelm.foundation.envelope import read_envelope, signers
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.ids import new_id
from reelm.proofs import sale
from reelm.proofs.sale import ApprovalStatement, SaleStatement
from reelm.regions import CLOCK_SLACK, time_bounds
from reelm.regions.orders.authorities import ordering_authority
from reelm.transfer.approve import SIDES, counting_keys, sides_of, signed_sides
from reelm.transfer.current import KnownTransfer, open_transfer, statements
from reelm.transfer.models import TransferStatement
from reelm.transfer.stay import refuse_if_stayed

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope


class TakenStatement(msgspec.Struct, frozen=True):
    """What became of a statement: which sale it counts for, as what, since when."""

    transfer_id: int
    scope_digest: str
    kind: str
    document_digest: str
    received_at: datetime
    is_new: bool


def submit_statement(session: Session, envelope_text: bytes) -> TakenStatement:
    """Check a signed statement about the open sale and keep it; the same again changes nothing.

    Raises:
        Invalid: envelope, signatures or statement are wrong, or about another sale.
        Missing: no sale is open.
        Conflict: the sale is stayed, or the reference was used for another statement.
    """
    transfer = open_transfer(session, lock=True)
    envelope = read_envelope(envelope_text, sale.SALE_TYPE, sale.APPROVAL_TYPE)
    if envelope.payload_type == sale.SALE_TYPE:
        return _take_sale(session, transfer, envelope, envelope_text)
    return _take_approval(session, transfer, envelope, envelope_text)


def _take_sale(
    session: Session, transfer: KnownTransfer, envelope: "Envelope", text: bytes
) -> TakenStatement:
    statement = sale.read_sale(envelope.payload)
    sides = sides_of(transfer, envelope)
    if not sides:
        raise Invalid("It is signed by neither the seller nor the buyer that the scope names.")
    _check_about(transfer, statement)
    digest = sale.digest_of(envelope.payload)
    before = statements(session, transfer.id)
    known = next((row for row in before if row.document_digest == digest), None)
    if known is not None and sides <= signed_sides(transfer, before):
        return _taken(transfer, known, is_new=False)
    refuse_if_stayed(session)
    row = _keep(session, transfer, statement, envelope_text=text, digest=digest, kind="sale")
    audit.record(
        session,
        "transfer.signed",
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        sides=[side for side in SIDES if side in sides],
        document_digest=digest,
    )
    return _taken(transfer, row)


def _take_approval(
    session: Session, transfer: KnownTransfer, envelope: "Envelope", text: bytes
) -> TakenStatement:
    statement = sale.read_approval(envelope.payload)
    required = next(
        (one for one in transfer.scope.approvals if one.authority == statement.authority), None
    )
    if required is None:
        raise Invalid(f"Authority {statement.authority} is none of those that have to agree.")
    by = ordering_authority(session, int(statement.authority))
    if by.ended_at is not None:
        raise Invalid(f"The authority {by.name} is no longer one in this region.")
    signers(envelope, counting_keys(by, required), max(required.threshold, by.threshold))
    _check_about(transfer, statement)
    if statement.buyer_key != transfer.scope.buyer.public_key:
        raise Invalid("It is about another buyer than the scope names.")
    digest = sale.digest_of(envelope.payload)
    known = _known(session, statement, digest)
    if known is not None:
        return _taken(transfer, known, is_new=False)
    if statement.decision == "approve":
        # What takes an approval back is taken in at any time.
        refuse_if_stayed(session)
        _check_unexpired(session, statement)
    row = _keep(
        session, transfer, statement, envelope_text=text, digest=digest, kind=statement.decision
    )
    _log(session, transfer, statement, digest)
    return _taken(transfer, row)


def _check_about(transfer: KnownTransfer, statement: SaleStatement | ApprovalStatement) -> None:
    """Refuse what is about another region or another scope."""
    here = transfer.scope.region
    if statement.region != here:
        raise Invalid(f"It is about the region {statement.region}; this is {here}.")
    if statement.scope_digest != transfer.scope_digest:
        raise Invalid(
            f"It is about the scope {statement.scope_digest}; the open sale's is"
            f" {transfer.scope_digest}, and a changed scope is another one."
        )


def _check_unexpired(session: Session, statement: ApprovalStatement) -> None:
    latest = time_bounds(session).latest
    if statement.valid_until is None or statement.valid_until <= latest:
        raise Invalid("The approval has expired, by the clock of this region.")


def _known(session: Session, statement: ApprovalStatement, digest: str) -> TransferStatement | None:
    """Return the row of this very document, if it was taken in before."""
    row = session.scalar(
        select(TransferStatement).where(
            TransferStatement.authority_id == int(statement.authority),
            TransferStatement.reference == statement.reference,
        )
    )
    if row is not None and row.document_digest != digest:
        raise Conflict(f"Another statement of this authority has the reference {row.reference}.")
    return row


def _keep(
    session: Session,
    transfer: KnownTransfer,
    statement: SaleStatement | ApprovalStatement,
    *,
    envelope_text: bytes,
    digest: str,
    kind: str,
) -> TransferStatement:
    latest = time_bounds(session).latest
    if statement.issued_at > latest + CLOCK_SLACK:
        raise Invalid("It was issued in the future, by the clock of this region.")
    by = statement if isinstance(statement, ApprovalStatement) else None
    row = TransferStatement(
        transfer_id=transfer.id,
        id=new_id(),
        kind=kind,
        authority_id=None if by is None else int(by.authority),
        reference=None if by is None else by.reference,
        document_digest=digest,
        envelope=envelope_text.decode(),
        received_at=latest,
    )
    session.add(row)
    session.flush()
    return row


def _log(
    session: Session, transfer: KnownTransfer, statement: ApprovalStatement, digest: str
) -> None:
    until = statement.valid_until
    audit.record(
        session,
        "transfer.authority_decided",
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        authority_id=statement.authority,
        decision=statement.decision,
        document_digest=digest,
        **({} if until is None else {"valid_until": utc_text(until)}),
    )


def _taken(
    transfer: KnownTransfer, row: TransferStatement, *, is_new: bool = True
) -> TakenStatement:
    return TakenStatement(
        row.transfer_id,
        transfer.scope_digest,
        row.kind,
        row.document_digest,
        row.received_at,
        is_new,
    )
