"""Propose a sale: its scope is fixed, and its digest is what everybody signs from then on."""

import msgspec
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.database import Base
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale
from reelm.proofs.sale import Buyer, Conditions, Scope
from reelm.transfer.models import RegionTransfer
from reelm.transfer.scope import make_scope
from reelm.transfer.stay import refuse_if_stayed
from reelm.transfer.technology import Choices, inventory

_LOCK = 0x7265656C6D10  # "reelm" 16


class Proposal(msgspec.Struct, frozen=True):
    """A sale that is proposed: `document` is the scope's bytes, of which `digest` is."""

    transfer_id: int
    digest: str
    document: bytes
    scope: Scope


def propose(
    session: Session,
    parts: Parts,
    buyer: Buyer,
    choices: Choices,
    conditions: Conditions | None = None,
) -> Proposal:
    """Fix what is sold to whom and who has to agree, and log its digest.

    Raises:
        Invalid: the buyer or a choice is wrong; says which.
        Conflict: a sale is open or stayed, or an authority that has to agree is not there.
    """
    _check_buyer(buyer)
    # Two proposals at once: the second sees the first.
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    refuse_if_stayed(session)
    if session.scalar(select(RegionTransfer.id).where(RegionTransfer.ended_at.is_(None))):
        raise Conflict("A sale is open; `reelm transfer abort` ends it before another is proposed.")
    scope = make_scope(
        session,
        parts.settings,
        Base.metadata,
        buyer=buyer,
        technology=inventory(session, parts.settings, choices),
        conditions=conditions or Conditions(),
    )
    return _keep(session, scope)


def _keep(session: Session, scope: Scope) -> Proposal:
    document = canonical(scope)
    digest = sale.digest_of(document)
    if session.scalar(select(RegionTransfer.id).where(RegionTransfer.scope_digest == digest)):
        raise Conflict("This very scope was proposed before: propose again in a second.")
    transfer_id = new_id()
    session.add(
        RegionTransfer(
            id=transfer_id,
            scope_digest=digest,
            scope=document.decode(),
            proposed_at=now(),
            reason="",
        )
    )
    session.flush()
    audit.record(
        session,
        "transfer.proposed",
        transfer_id=str(transfer_id),
        scope_digest=digest,
        buyer_key=scope.buyer.public_key,
    )
    return Proposal(transfer_id, digest, document, scope)


def _check_buyer(buyer: Buyer) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(buyer.public_key))
    except ValueError:
        raise Invalid("The buyer's public_key is no Ed25519 public key.") from None
    try:
        pyrage.x25519.Recipient.from_str(buyer.recipient)
    except pyrage.RecipientError:
        raise Invalid("The buyer's recipient is no age public key.") from None
