"""Seal the frozen region into the exchange folder, for its buyer alone."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy.orm import Session

from reelm import accounts, audit, regions
from reelm.accounts import region_keys
from reelm.foundation.database import fence
from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.foundation.workspace import workspace
from reelm.proofs import sale
from reelm.proofs.closing import Closing
from reelm.transfer.approve import refuse_unless_approved
from reelm.transfer.bundle import Sale, SellerKeys, seal
from reelm.transfer.bundle.log import LogGrew
from reelm.transfer.current import KnownTransfer
from reelm.transfer.move.exchange import Exchange
from reelm.transfer.move.freeze import ERASED, is_frozen
from reelm.transfer.move.model import closed_assets, made_model
from reelm.transfer.steps import add_step, last_step, steps

Say = Callable[[str], None]
# An entry may come between the log's checkpoint and the snapshot, which is a few ms later.
TRIES = 5


class SealedRegion(msgspec.Struct, frozen=True):
    """What was sealed last: the digest of its closing manifest, and the manifest itself."""

    closing_digest: str
    manifest: Closing


def seal_region(parts: Parts, exchange: Exchange, say: Say = lambda _: None) -> SealedRegion:
    """Write scope, statements and bundle of the frozen region; cut off, it goes on when run again.

    Args:
        parts: the seller's, with the owner's database.
        exchange: the folder that the buyer reads.
        say: is told of progress.

    Raises:
        Missing: no sale is open.
        Conflict: it is not approved, stayed, not frozen, or handed over already.
    """
    with parts.transaction() as session:
        transfer = refuse_unless_approved(session)
        exchange.refuse_if_handed_over(transfer)
        if not is_frozen(session):
            raise Conflict("The region is not frozen: `reelm transfer freeze` does that.")
    accounts.erase_waiting(parts)
    with parts.transaction() as session:
        exchange.write_sale(session, transfer)
        fence.mark_sealed(session, ERASED)
        # What lies in the folder is another bundle from here on, also where this is cut off.
        add_step(session, transfer.id, "sealing", b"{}")
    with workspace(parts.home, "model") as folder:
        say("Making the model's file.")
        model = made_model(parts, transfer.scope, folder)
        manifest = _seal(parts, exchange, sale_of(parts, transfer, model), say)
    made = SealedRegion(sale.digest_of(canonical(manifest)), manifest)
    with parts.transaction() as session:
        add_step(session, transfer.id, "sealed", canonical(made))
    return made


def _seal(parts: Parts, exchange: Exchange, about: Sale, say: Say) -> Closing:
    """Seal with a whole log; what authorities and staff do meanwhile is logged at any time."""
    tries_left = TRIES
    while True:
        audit.integrate(parts.database, regions.audit_signer(parts))
        try:
            return seal(
                parts.database.conninfo, parts.store, exchange.bundle, notes_folder(parts), about,
                seller_keys(parts), say=say,
            )  # fmt: skip
        except LogGrew:
            tries_left -= 1
            if not tries_left:
                raise


def last_sealed(session: Session, transfer_id: int) -> SealedRegion | None:
    """Return what was sealed last of a sale; None where it was not, or a seal was cut off."""
    step = last_step(steps(session, transfer_id), "sealing", "sealed")
    if step is None or step.kind == "sealing":
        return None
    return msgspec.json.decode(step.document, type=SealedRegion)


def sale_of(
    parts: Parts, transfer: KnownTransfer, model: tuple[Path | None, str] = (None, "")
) -> Sale:
    """Return what is sealed for whom, with the technology assets as the scope has them.

    Args:
        parts: the seller's.
        transfer: the sale.
        model: the model's file and digest; a rehearsal makes none.
    """
    scope, (path, digest) = transfer.scope, model
    with parts.transaction() as session:
        assets = closed_assets(session, scope, digest)
    return Sale(
        transfer.scope_digest, scope.region, scope.seller.epoch, scope.buyer.recipient, assets, path
    )


def seller_keys(parts: Parts) -> SellerKeys:
    """Return the keys that a seal needs."""
    return SellerKeys(parts.home.operator_key(), list(region_keys(parts).values()))


def notes_folder(parts: Parts) -> Path:
    """Return the private folder for what a seal that is cut off needs to go on."""
    return parts.home.work / "seal"
