"""Freeze what goes along: the database itself refuses the serving role to write it.

What an authority may ask for and what people have a right to goes on: orders with what they
withhold, their notices and copies, erasures, revocations of approvals, the audit log. Each is
logged, and what came after a seal is sealed again before the cutover; but erasures wait then
(accounts/erase.py). What stays with the seller anyway (sessions, rate limits, jobs) is written as
before.
"""

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.foundation.database import Base, fence
from reelm.foundation.database.roles import app_role
from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.transfer.announce import refuse_before_notice_ends
from reelm.transfer.approve import refuse_unless_approved
from reelm.transfer.bundle.tables import moved_tables
from reelm.transfer.current import KnownTransfer, newest_transfer
from reelm.transfer.steps import add_step, last_step, steps

# Written in the freeze too; compared with what was sealed before the cutover (cut_over.py).
OPEN = frozenset({
    "audit_checkpoint", "audit_entry", "audit_leaf", "audit_node", "audit_opening",
    "authority", "authority_key", "erased_account", "erased_handle", "held_erasure",
    "legal_order", "notice", "restriction", "sealed_copy", "transfer", "transfer_statement",
})  # fmt: skip
# Of these the serving role may add and erase rows, and change none: people who read their notices
# would have them sealed again, as often as they like.
ADDED_TO = frozenset({"notice"})
# Rows that may change only once their account is on the list of the erased; which column names it.
GUARDED = {
    "account": "id",
    "account_key": "account_id",
    "account_private": "account_id",
    "credential": "account_id",
    "recovery_code": "account_id",
}
ERASED = "erased_account"


def freeze(parts: Parts) -> KnownTransfer:
    """Freeze the region that is sold; again changes nothing.

    Args:
        parts: the seller's, with the owner's database.

    Raises:
        Missing: no sale is open.
        Conflict: it is not approved or stayed, or people's notice has not ended, or nothing was
            rehearsed; says which.
        Unavailable: transactions that write do not end; try again.
    """
    with parts.transaction() as session:
        transfer = refuse_unless_approved(session)
        if not is_frozen(session):
            refuse_before_notice_ends(session, transfer)
            _refuse_unless_rehearsed(session, transfer)
            _freeze(session, parts, transfer)
    audit.integrate(parts.database, regions.audit_signer(parts))
    return transfer


def is_frozen(session: Session) -> bool:
    """Whether the newest sale has frozen the region: until the cutover, or until it is aborted."""
    transfer = newest_transfer(session)
    if transfer is None:
        return False
    last = last_step(steps(session, transfer.id), "frozen", "thawed")
    return last is not None and last.kind == "frozen"


def thaw(session: Session, transfer: KnownTransfer) -> bool:
    """Let everything be written again after a sale was aborted; return whether it was frozen.

    The serving role's leave itself comes back with the next start (database/roles.py).
    """
    if not is_frozen(session):
        return False
    epoch = transfer.scope.seller.epoch
    fence.open_again(session, GUARDED)
    add_step(session, transfer.id, "thawed", canonical({"epoch": epoch}))
    _record(session, "transfer.thawed", transfer)
    return True


def serving_role(parts: Parts, epoch: int) -> str:
    """Return the role that serves in an epoch."""
    return app_role(str(conninfo_to_dict(parts.database.conninfo)["dbname"]), epoch)


def _refuse_unless_rehearsed(session: Session, transfer: KnownTransfer) -> None:
    if last_step(steps(session, transfer.id), "rehearsed") is None:
        raise Conflict("The move was not rehearsed: `reelm transfer rehearse` does, without harm.")


def _freeze(session: Session, parts: Parts, transfer: KnownTransfer) -> None:
    epoch = transfer.scope.seller.epoch
    closed = [
        table.name
        for table in moved_tables(Base.metadata)
        if table.name not in OPEN and table.name not in GUARDED
    ]
    role = serving_role(parts, epoch)
    fence.close(session, role, closed, GUARDED, ERASED, ADDED_TO)
    add_step(session, transfer.id, "frozen", canonical({"epoch": epoch}))
    _record(session, "transfer.frozen", transfer)


def _record(session: Session, kind: str, transfer: KnownTransfer) -> None:
    audit.record(
        session,
        kind,
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        epoch=transfer.scope.seller.epoch,
    )
