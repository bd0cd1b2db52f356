"""The cutover: the seller ends its tenure, then the buyer begins its own, by one signed document.

The seller signs first, and from that commit on its database refuses every write of its epoch. The
buyer begins only with the seller's signature in hand. Between the two nobody can write, for as
long as the document travels: never two operators.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from reelm import accounts, audit, regions
from reelm.accounts import Wrapping, region_keys
from reelm.foundation.clock import now, utc_text
from reelm.foundation.database import Base, fence
from reelm.foundation.envelope import add_signatures, key_id
from reelm.foundation.errors import Conflict, Missing
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.proofs import handover, keys
from reelm.proofs.handover import Cutover, LogSize, Receipt
from reelm.proofs.sale import digest_of
from reelm.transfer.approve import refuse_unless_approved, refuse_unless_approved_at
from reelm.transfer.bundle.narrow import tree_of
from reelm.transfer.bundle.rows import pinned
from reelm.transfer.bundle.tables import moved_tables
from reelm.transfer.current import KnownTransfer, newest_transfer, open_transfer
from reelm.transfer.departed import leave_documents
from reelm.transfer.models import RegionTransfer
from reelm.transfer.move.exchange import Exchange, read, write
from reelm.transfer.move.freeze import GUARDED, OPEN, is_frozen, serving_role
from reelm.transfer.move.receive import take_receipt
from reelm.transfer.move.seal_region import SealedRegion, last_sealed, seller_keys
from reelm.transfer.move.take_up import take_up
from reelm.transfer.steps import add_step, last_step, steps

Say = Callable[[str], None]
_SELLER_FIRST = "The seller writes it by `reelm transfer cutover`."


class CutOver(msgspec.Struct, frozen=True):
    """The cutover, and who has signed it by now."""

    cutover: Cutover
    signed_by: list[str]


def cut_over(parts: Parts, exchange: Exchange, say: Say = lambda _: None) -> CutOver:
    """At the seller: end the tenure and sign the cutover; again it is written once more.

    From then on the old address tells where the region went (`departed`): that it is under way, and
    run again once the buyer has signed, that it is done.

    Args:
        parts: the seller's, with the owner's database.
        exchange: the folder where the buyer's receipt lies, and the cutover is written.
        say: is told of progress.

    Raises:
        Missing: no sale is open, or the buyer has not told what it found.
        Conflict: it is not approved, stayed, not sealed, disputed, or something came after the
            seal; says which, and nothing is changed.
    """
    with parts.transaction() as session:
        done = newest_transfer(session)
        signed = None if done is None else _signed(session, done)
    found = None if done is None else exchange.handed_over(done.scope, done.scope_digest)
    if done is None or signed is None:
        if found is None:
            signed, done = _end_tenure(parts, exchange, say)
        else:
            say("This database is from before the cutover that was signed: it ends by that one.")
            signed, done = _end_by(parts, *found)
    # The buyer's signature may have come meanwhile; it is kept.
    if found is not None:
        cutover, sides = handover.read_cutover(found[0], done.scope, done.scope_digest)
        if sides == {"seller", "buyer"}:
            with parts.transaction() as session:
                _note(session, done, found[0])
            leave_documents(parts.home, canonical(done.scope) + b"\n", found[0])
            return CutOver(cutover, sorted(sides))
    leave_documents(parts.home, canonical(done.scope) + b"\n", signed)
    write(exchange.cutover, signed)
    cutover, sides = handover.read_cutover(signed, done.scope, done.scope_digest)
    return CutOver(cutover, sorted(sides))


def countersign(parts: Parts, exchange: Exchange) -> CutOver:
    """At the buyer: sign the cutover, begin the tenure, and log both; again changes nothing.

    Raises:
        Missing: the seller has not signed, or nothing was imported here.
        Invalid: the document is about another sale.
        Conflict: what was imported is not what the cutover names, or was not approved.
    """
    scope, digest = exchange.read_scope(parts.home.operator_public_key())
    text = read(exchange.cutover, _SELLER_FIRST)
    cutover, _ = handover.read_cutover(text, scope, digest)
    both = add_signatures(text, handover.CUTOVER_TYPE, [parts.home.operator_key()])
    with parts.transaction() as session:
        transfer = newest_transfer(session)
        if transfer is None:
            raise Missing("Nothing was imported here: `reelm transfer verify` does that first.")
        known = _signed(session, transfer)
        if known is None:
            _refuse_other_import(session, transfer, cutover)
            ended_at = datetime.fromisoformat(cutover.ended_at)
            refuse_unless_approved_at(session, transfer, ended_at)
            _begin_tenure(session, parts, transfer, cutover, both)
        both = known or both
    write(exchange.cutover, both)
    return CutOver(cutover, ["buyer", "seller"])


def _end_tenure(parts: Parts, exchange: Exchange, say: Say) -> tuple[bytes, KnownTransfer]:
    receipt = take_receipt(parts, exchange)
    with parts.transaction() as session:
        transfer = refuse_unless_approved(session)
        if not is_frozen(session):
            raise Conflict("The region is not frozen: `reelm transfer freeze` does that.")
        sealed = _sealed(session, transfer)
        _refuse_unless_equal(receipt, sealed)
        fence.hold(session, sorted(OPEN | GUARDED.keys()))
        say("Comparing what the freeze left open with what was sealed.")
        _refuse_what_came_after(parts, transfer, sealed)
        # Whoever asks from here on waits for the lock on those who are erased, and is refused.
        erasures = accounts.waiting_erasures(session)
        if len(erasures) > handover.MOST_ERASURES:
            raise Conflict(
                f"{len(erasures):,} people asked to be erased since the seal, more than a cutover"
                " names: `reelm transfer seal` erases them; let the buyer verify again."
            )
        cutover = _cutover(parts, transfer, sealed, receipt, erasures)
        envelope = handover.sign_cutover(cutover, parts.home.operator_key())
        _depart(session, parts, transfer, cutover, envelope)
    return envelope, transfer


def _end_by(parts: Parts, envelope: bytes, cutover: Cutover) -> tuple[bytes, KnownTransfer]:
    """End the tenure in a database that was restored from before the cutover: by that very one.

    A second document about the same handover would be another word of the same seller.

    Raises:
        Missing: no sale is open here.
        Conflict: the cutover is of another sale.
    """
    with parts.transaction() as session:
        transfer = open_transfer(session, lock=True)
        if cutover.transfer_id != str(transfer.id):
            raise Conflict(
                "The cutover in the exchange folder is of another sale than the open one."
            )
        fence.hold(session, sorted(OPEN | GUARDED.keys()))
        _depart(session, parts, transfer, cutover, envelope)
    return envelope, transfer


def _depart(
    session: Session, parts: Parts, transfer: KnownTransfer, cutover: Cutover, envelope: bytes
) -> None:
    regions.end_tenure(session, cutover.from_epoch)
    _end_sale(session, transfer)
    fence.open_again(session, GUARDED)
    fence.shut(session, serving_role(parts, cutover.from_epoch))
    add_step(session, transfer.id, "cutover", envelope)


def _begin_tenure(
    session: Session, parts: Parts, transfer: KnownTransfer, cutover: Cutover, both: bytes
) -> None:
    regions.end_tenure(session, cutover.from_epoch)
    _end_sale(session, transfer)
    add_step(session, transfer.id, "cutover", both)
    audit.record(
        session,
        "transfer.cutover",
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        from_epoch=cutover.from_epoch,
        to_epoch=cutover.to_epoch,
        seller_key=cutover.seller_key,
        buyer_key=cutover.buyer_key,
        closing_digest=cutover.closing_digest,
        document_digest=handover.cutover_digest(both),
        seller_signature=handover.signature_of(both, key_id(cutover.seller_key)),
        buyer_signature=handover.signature_of(both, key_id(cutover.buyer_key)),
    )
    audit.record_key_change(
        session,
        keys.origin(cutover.region),
        old_key=cutover.seller_key,
        new_key=cutover.buyer_key,
        epoch=cutover.to_epoch,
        endorsement=bytes.fromhex(cutover.endorsement),
    )
    regions.begin_tenure(
        session,
        epoch=cutover.to_epoch,
        operator=parts.settings.region.operator,
        public_key=cutover.buyer_key,
    )
    accounts.end_all_roles(session)
    take_up(session, cutover.erasures)


def _cutover(
    parts: Parts,
    transfer: KnownTransfer,
    sealed: SealedRegion,
    receipt: Receipt,
    erasures: list[int],
) -> Cutover:
    scope, log = transfer.scope, sealed.manifest.log
    to_epoch = scope.seller.epoch + 1
    endorsement = keys.endorse(
        parts.home.operator_key(),
        keys.origin(scope.region),
        bytes.fromhex(scope.buyer.public_key),
        to_epoch,
    )
    return Cutover(
        form=handover.CUTOVER_FORM,
        region=scope.region,
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        closing_digest=sealed.closing_digest,
        receipt_digest=digest_of(canonical(receipt)),
        from_epoch=scope.seller.epoch,
        to_epoch=to_epoch,
        seller_key=scope.seller.public_key,
        buyer_key=scope.buyer.public_key,
        operator=scope.buyer.operator,
        address=receipt.address,
        log=LogSize(log.size, log.root),
        endorsement=endorsement.hex(),
        erasures=list(map(str, erasures)),
        ended_at=utc_text(now()),
    )


def _sealed(session: Session, transfer: KnownTransfer) -> SealedRegion:
    sealed = last_sealed(session, transfer.id)
    if sealed is None:
        raise Conflict("The region is not sealed: `reelm transfer seal` does that.")
    return sealed


def _refuse_unless_equal(receipt: Receipt, sealed: SealedRegion) -> None:
    if receipt.outcome != "equal":
        raise Conflict(f"The buyer disputes what was sealed: {receipt.found}")
    if receipt.closing_digest != sealed.closing_digest:
        raise Conflict(
            "The buyer's receipt is about another bundle than was sealed last: it has to verify"
            " that one (`reelm transfer verify`)."
        )


def _refuse_what_came_after(parts: Parts, transfer: KnownTransfer, sealed: SealedRegion) -> None:
    """Compare each table that the freeze leaves open with its root in the closing manifest."""
    secret = seller_keys(parts).secret(transfer.scope_digest)
    wrappings = {one.version: one for one in map(Wrapping, region_keys(parts).values())}
    closed = {one.name: one for one in sealed.manifest.tables}
    with pinned(parts.database.conninfo, is_snapshot=True) as connection:
        for table in moved_tables(Base.metadata):
            if table.name not in OPEN and table.name not in GUARDED:
                continue
            tree = tree_of(
                connection, table, secret=secret,
                scope_digest=transfer.scope_digest, wrappings=wrappings,
            )  # fmt: skip
            if (tree.rows, tree.root()) != (closed[table.name].rows, closed[table.name].root):
                raise Conflict(
                    f"Table {table.name} was written after the seal, by an order, an erasure or"
                    " an authority: `reelm transfer seal` again, and let the buyer verify it."
                )


def _refuse_other_import(session: Session, transfer: KnownTransfer, cutover: Cutover) -> None:
    step = last_step(steps(session, transfer.id), "receipt")
    if step is None:
        raise Missing("Nothing was imported here: `reelm transfer verify` does that first.")
    receipt, _ = handover.read_receipt(step.document.encode(), transfer.scope)
    if (str(transfer.id), receipt.closing_digest) != (cutover.transfer_id, cutover.closing_digest):
        raise Conflict("The cutover names another bundle than was imported here last.")


def _end_sale(session: Session, transfer: KnownTransfer) -> None:
    row = session.get_one(RegionTransfer, transfer.id)
    row.ended_at, row.ending = now(), "cutover"
    session.flush()


def _note(session: Session, transfer: KnownTransfer, envelope: bytes) -> None:
    if _signed(session, transfer) != envelope:
        add_step(session, transfer.id, "cutover", envelope)


def _signed(session: Session, transfer: KnownTransfer) -> bytes | None:
    step = last_step(steps(session, transfer.id), "cutover")
    return None if step is None else step.document.encode()
