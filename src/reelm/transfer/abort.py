"""End a sale before its cutover: also one that is stayed."""

from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.proofs import sale
from reelm.transfer.current import KnownTransfer, open_transfer
from reelm.transfer.models import RegionTransfer
from reelm.transfer.move.freeze import thaw

MOST_REASON = 1000


def abort(session: Session, reason: str) -> KnownTransfer:
    """End the open sale, and log it; the log holds the digest of the reason.

    A region that is frozen needs the owner's database here, and is written again after the next
    start or `roles.ensure_app`.

    Raises:
        Invalid: no reason is given, or one that cannot be shown.
        Missing: no sale is open.
    """
    reason = reason.strip()
    if not reason or not reason.isprintable() or len(reason) > MOST_REASON:
        raise Invalid(f"Say why the sale ends, in at most {MOST_REASON} characters.")
    transfer = open_transfer(session, lock=True)
    thaw(session, transfer)
    row = session.get_one(RegionTransfer, transfer.id)
    row.ended_at, row.ending, row.reason = now(), "aborted", reason
    session.flush()
    audit.record(
        session,
        "transfer.aborted",
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        reason_digest=sale.digest_of(reason.encode()),
    )
    return transfer
