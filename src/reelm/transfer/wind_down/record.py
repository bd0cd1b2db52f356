"""The buyer writes down that the seller is wound down: in its steps, and in the region's log."""

from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical
from reelm.proofs import certificate as form
from reelm.proofs.certified import check_about, check_content, require
from reelm.proofs.sale import digest_of
from reelm.transfer.current import KnownTransfer
from reelm.transfer.steps import add_step, last_step, steps


def record_certificate(session: Session, transfer: KnownTransfer, envelope: bytes) -> str:
    """Keep the seller's certificate, and log its digest; the same again changes nothing.

    Returns: the digest of the certificate.

    Raises:
        Invalid: this side has no cutover of the sale, the certificate is of another, or seller or
            buyer has not signed it. Authorities may sign after this.
    """
    taken = steps(session, transfer.id)
    cutover = last_step(taken, "cutover")
    if cutover is None:
        raise Invalid("This region was not taken over in this sale: there is no cutover here.")
    stated, opened = form.opened(envelope)
    check_about(stated, transfer.scope, cutover.document.encode())
    check_content(stated)
    require(opened, [transfer.scope.seller.public_key], 1, "the seller")
    require(opened, [transfer.scope.buyer.public_key], 1, "the buyer")
    digest = digest_of(canonical(stated))
    before = last_step(taken, "certificate")
    if before is not None and before.document.encode() == envelope:
        return digest
    known = None if before is None else digest_of(_payload(before.document.encode()))
    add_step(session, transfer.id, "certificate", envelope)
    if known != digest:
        audit.record(
            session,
            "transfer.wound_down",
            transfer_id=str(transfer.id),
            scope_digest=transfer.scope_digest,
            certificate_digest=digest,
        )
    return digest


def _payload(envelope: bytes) -> bytes:
    payload: bytes = form.opened(envelope)[1].payload
    return payload
