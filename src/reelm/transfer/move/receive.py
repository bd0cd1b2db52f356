"""The buyer's side of the move: what it tells the seller before, and what it finds in a bundle.

Verified, imported and receipted is one step: the rows are committed only when every root is that
of the closing manifest in the buyer's own database, and the receipt is noted with them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyrage
from psycopg import Connection
from sqlalchemy import select

from reelm import feed, regions
from reelm.foundation.clock import now, utc_text
from reelm.foundation.countries import require_countries
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.home import Home, write_secret
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.foundation.workspace import workspace
from reelm.proofs import handover
from reelm.proofs.closing import Closing
from reelm.proofs.handover import LogSize, Receipt
from reelm.proofs.sale import BUYER_FORM, BuyerFile, Scope, digest_of
from reelm.regions.models import Tenure
from reelm.transfer.bundle import Expected, import_, open_bundle
from reelm.transfer.bundle.opened import Opened
from reelm.transfer.current import open_transfer
from reelm.transfer.models import TransferStep
from reelm.transfer.move.exchange import Exchange, read, statement_name, write
from reelm.transfer.move.model import check_assets, install, opened_model
from reelm.transfer.steps import add_step, last_step, steps

Say = Callable[[str], None]
IDENTITY = "transfer-identity"
_MOST_FOUND = 1000


class Received(msgspec.Struct, frozen=True):
    """What the buyer found, and whether it was found before."""

    receipt: Receipt
    is_new: bool


def buyer_file(parts: Parts, country: str) -> BuyerFile:
    """Return what a buyer hands to the seller before the proposal; its age key is made once.

    Args:
        parts: the buyer's home, with the owner's database.
        country: where the buyer keeps database, store and keys (ISO 3166-1 alpha-2).

    Raises:
        Invalid: the country is none.
        Conflict: this home has served a region already.
    """
    require_countries([country], what="country")
    with parts.transaction() as session:
        if regions.has_tenure(session):
            raise Conflict("This home has a region already: a buyer begins with a new one.")
    path = parts.home.keys / IDENTITY
    if not path.exists():
        write_secret(path, str(pyrage.x25519.Identity.generate()))
    return BuyerFile(
        form=BUYER_FORM,
        operator=parts.settings.region.operator,
        public_key=parts.home.operator_public_key(),
        recipient=str(identity_of(parts).to_public()),
        country=country,
    )


def receive(parts: Parts, exchange: Exchange, say: Say = lambda _: None) -> Received:
    """Verify the bundle, import it, and write the receipt; again changes nothing.

    A later bundle of the same sale takes the place of an earlier one, until the cutover.

    Args:
        parts: the buyer's, with the owner's database.
        exchange: the folder that the seller wrote.
        say: is told of progress.

    Raises:
        Missing: there is no bundle, or the home has no identity to open it.
        Invalid: it is not what the seller closed; the receipt that says so is written before.
        Conflict: the home has served a region already.
    """
    before = _receipts(parts)
    scope, digest = exchange.read_scope(parts.home.operator_public_key())
    manifest = None
    try:
        opened = open_bundle(exchange.bundle, identity_of(parts), Expected.of(scope, digest))
        manifest = opened.manifest
        known = _known(before, scope, manifest)
        if known is not None:
            write(exchange.receipt, known)
            return Received(handover.read_receipt(known, scope)[0], is_new=False)
        _refuse_another_than_was_handed_over(exchange, scope, manifest)
        check_assets(scope, opened.manifest)
        # Everything is verified as it is loaded, and nothing is committed unless all of it holds.
        with workspace(parts.home, "model") as folder:
            say("Checking the model.")
            model = opened_model(opened, folder)
            receipt = _import(parts, exchange, scope, opened, model, say, may_replace=bool(before))
    except Invalid as error:
        disputed = _receipt(parts, scope, digest, manifest, error.sentence)
        write(exchange.receipt, handover.sign_receipt(disputed, parts.home.operator_key()))
        raise
    write(exchange.receipt, handover.sign_receipt(receipt, parts.home.operator_key()))
    return Received(receipt, is_new=True)


def closing_manifest(parts: Parts, exchange: Exchange) -> bytes:
    """Return the closing manifest of the bundle, as the seller signed it (DSSE).

    Raises:
        Missing: there is no bundle, or the home has no identity to open it.
        Invalid: it is not that of the scope's region and seller.
    """
    scope, digest = exchange.read_scope(parts.home.operator_public_key())
    return open_bundle(exchange.bundle, identity_of(parts), Expected.of(scope, digest)).envelope


def take_receipt(parts: Parts, exchange: Exchange) -> Receipt:
    """At the seller: take in what the buyer found; again changes nothing.

    Raises:
        Missing: no sale is open, or the buyer has told nothing yet.
        Invalid: it is not signed by the buyer, or about another scope.
    """
    text = read(exchange.receipt, "The buyer writes it by `reelm transfer verify`.")
    with parts.transaction() as session:
        transfer = open_transfer(session, lock=True)
        receipt, _ = handover.read_receipt(text, transfer.scope)
        if receipt.scope_digest != transfer.scope_digest:
            raise Invalid("The buyer's receipt is about another scope than the open sale's.")
        known = last_step(steps(session, transfer.id), "receipt")
        if known is None or known.document.encode() != text:
            add_step(session, transfer.id, "receipt", text)
    return receipt


def is_buyers_home(home: Home) -> bool:
    """Whether a home was made to take a region over: `reelm transfer buyer` was run there."""
    return (home.keys / IDENTITY).exists()


def identity_of(parts: Parts) -> pyrage.x25519.Identity:
    """Return the age identity that opens what is sealed for this home.

    Raises:
        Missing: `reelm transfer buyer` was not run here.
    """
    if not is_buyers_home(parts.home):
        raise Missing("This home has no key to open a bundle: `reelm transfer buyer` makes it.")
    return pyrage.x25519.Identity.from_str(parts.home.secret(IDENTITY))


def _import(
    parts: Parts,
    exchange: Exchange,
    scope: Scope,
    opened: Opened,
    model: Path | None,
    say: Say,
    *,
    may_replace: bool,
) -> Receipt:
    digest = opened.manifest.scope_digest
    receipt = _receipt(parts, scope, digest, opened.manifest, "")
    envelope = handover.sign_receipt(receipt, parts.home.operator_key())

    def finish(connection: Connection[Any]) -> None:
        """Install the model, and note the receipt with the rows that it is about."""
        install(connection, parts, opened, model)
        row = connection.execute(
            "SELECT id FROM transfer WHERE scope_digest = %s AND ended_at IS NULL", [digest]
        ).fetchone()
        if row is None:
            raise Invalid("Table transfer of the bundle does not have the sale as an open one.")
        taken = connection.execute(
            "SELECT kind, id, envelope FROM transfer_statement WHERE transfer_id = %s", [row[0]]
        )
        exchange.check_statements(
            {statement_name(kind, number): text.encode() for kind, number, text in taken}
        )
        connection.execute(
            "INSERT INTO transfer_step VALUES (%s, %s, 'receipt', %s, %s)",
            [row[0], new_id(), envelope.decode(), now()],
        )

    import_(
        opened, parts.database.conninfo, parts.store, parts.region_key, parts.home.work,
        say, finish=finish, may_replace=may_replace,
    )  # fmt: skip
    # The model of an earlier bundle.
    feed.remove_uninstalled(parts)
    return receipt


def _receipts(parts: Parts) -> list[bytes]:
    """Return the receipts of what was imported here before, the last one last.

    Raises:
        Conflict: this home's operator is in charge already.
    """
    with parts.transaction() as session:
        mine = (
            select(Tenure.epoch)
            .where(Tenure.public_key == parts.home.operator_public_key())
            .limit(1)
        )
        if session.scalar(mine) is not None:
            raise Conflict("This home's operator is in charge of the region already.")
        query = select(TransferStep.document).where(TransferStep.kind == "receipt")
        return [one.encode() for one in session.scalars(query.order_by(TransferStep.id))]


def _known(before: list[bytes], scope: Scope, manifest: Closing) -> bytes | None:
    """Return the receipt of this very manifest, if it is what was imported last."""
    if not before:
        return None
    receipt, _ = handover.read_receipt(before[-1], scope)
    return before[-1] if receipt.closing_digest == digest_of(canonical(manifest)) else None


def _refuse_another_than_was_handed_over(
    exchange: Exchange, scope: Scope, manifest: Closing
) -> None:
    """Refuse a bundle that the cutover does not name: it would take the place of the one it does.

    Raises:
        Conflict: the seller has handed over another.
    """
    signed = exchange.handed_over(scope, manifest.scope_digest)
    if signed is not None and signed[1].closing_digest != digest_of(canonical(manifest)):
        raise Conflict(
            f"{exchange.cutover} hands over another bundle than lies in {exchange.bundle}."
        )


def _receipt(
    parts: Parts, scope: Scope, scope_digest: str, manifest: Closing | None, found: str
) -> Receipt:
    return Receipt(
        form=handover.RECEIPT_FORM,
        region=scope.region,
        scope_digest=scope_digest,
        closing_digest="" if manifest is None else digest_of(canonical(manifest)),
        epoch=scope.seller.epoch,
        outcome="disputed" if found else "equal",
        found=found[:_MOST_FOUND],
        log=None if manifest is None else LogSize(manifest.log.size, manifest.log.root),
        address=parts.settings.http.public_url,
        made_at=utc_text(now()),
    )
