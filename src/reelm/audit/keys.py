"""Hand the log to another key."""

from sqlalchemy.orm import Session

from reelm.audit.record import record
from reelm.foundation.errors import Invalid
from reelm.proofs.keys import is_endorsed


def record_key_change(
    session: Session, origin: str, *, old_key: str, new_key: str, epoch: int, endorsement: bytes
) -> int:
    """Log that another key signs the log from here on, and return the entry's id.

    Args:
        session: the transaction in which the new key takes over.
        origin: the log's name.
        old_key: the public key that has signed so far, in hex.
        new_key: the public key that signs from here on, in hex.
        epoch: of the tenure from which on it signs.
        endorsement: the old key's signature (proofs.keys.endorse).

    Raises:
        Invalid: the endorsement is not by the old key for the new one.
    """
    old, new = bytes.fromhex(old_key), bytes.fromhex(new_key)
    if not is_endorsed(old, origin, new, epoch, endorsement):
        raise Invalid("The old key of the audit log has not endorsed the new one.")
    return record(
        session,
        "audit.key_changed",
        old_key=old_key,
        new_key=new_key,
        epoch=epoch,
        endorsement=endorsement.hex(),
    )
