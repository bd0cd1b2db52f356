"""`reelm transfer buyer`, `rehearse`, `freeze`, `seal`, `verify` and `cutover`."""

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.status import Status

from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.proofs.closing import closed_digest
from reelm.transfer import move
from reelm.transfer.current import newest_transfer


def buyer(parts: Parts, country: str, out: Path) -> None:
    """Write the buyer's file."""
    told = move.buyer_file(parts, country)
    out.write_bytes(canonical(told) + b"\n")
    typer.echo(f"{out} is what {told.operator} hands to the seller.")


def rehearse(parts: Parts, folder: Path, *, as_json: bool) -> None:
    """Rehearse the move, and say what it would take."""
    with _progress() as progress:
        found = move.rehearse(parts, move.Exchange(folder), progress.update)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo(
        f"Rehearsed: {found.rows} rows ({_mib(found.row_bytes)} sealed) and {found.objects}"
        f" objects ({_mib(found.object_bytes)}), of which {found.objects_copied} were copied now."
    )
    if found.missing_objects:
        typer.echo(f"{found.missing_objects} objects that rows name are not in the store.")
    typer.echo(
        f"Sealing the rows took {found.seal_s:.1f} s here and reading them back"
        f" {found.verify_s:.1f} s: about so long will the freeze be, and the import beside."
    )


def freeze(parts: Parts) -> None:
    """Freeze the region."""
    move.freeze(parts)
    typer.echo("The region is frozen: what goes along is not written any more.")
    typer.echo("Next: `reelm transfer seal`. `reelm transfer abort` lets it be written again.")


def seal(parts: Parts, folder: Path, *, as_json: bool) -> None:
    """Seal the region for its buyer."""
    with _progress() as progress:
        sealed = move.seal_region(parts, move.Exchange(folder), progress.update)
    manifest = sealed.manifest
    rows = sum(table.rows for table in manifest.tables)
    if as_json:
        told = {
            "closing_digest": sealed.closing_digest,
            "rows": rows,
            "objects": manifest.objects.count,
            "object_bytes": manifest.objects.bytes,
            "model": manifest.model_digest,
        }
        typer.echo(msgspec.json.encode(told).decode())
        return
    typer.echo(f"Sealed: {rows} rows and {manifest.objects.count} objects, closing manifest\n")
    typer.echo(f"  {sealed.closing_digest}\n")
    if manifest.model_digest:
        typer.echo("The ranking model is in the bundle, as the scope says.")
    typer.echo(f"Next, at the buyer: `reelm transfer verify --exchange {folder}`.")


def verify(parts: Parts, folder: Path, *, as_json: bool) -> int:
    """Verify and import at the buyer, or read the receipt at the seller; 1 where it disputes."""
    exchange = move.Exchange(folder)
    if _is_seller(parts):
        receipt = move.take_receipt(parts, exchange)
    else:
        with _progress() as progress:
            receipt = move.receive(parts, exchange, progress.update).receipt
    if as_json:
        typer.echo(msgspec.json.encode(receipt).decode())
    elif receipt.outcome == "equal":
        typer.echo(
            "Every table, object and the audit log have the same roots on both sides:"
            f" closing manifest {receipt.closing_digest}."
        )
    else:
        typer.echo(f"The buyer disputes what was sealed: {receipt.found}")
    return 0 if receipt.outcome == "equal" else 1


def manifest(parts: Parts, folder: Path, out: Path) -> None:
    """Write the closing manifest in clear."""
    envelope = move.closing_manifest(parts, move.Exchange(folder))
    out.write_bytes(envelope)
    typer.echo(f"{out} is the closing manifest {closed_digest(envelope)}.")


def cutover(parts: Parts, folder: Path, *, as_json: bool) -> None:
    """Take this side's step of the cutover."""
    exchange = move.Exchange(folder)
    if _is_seller(parts):
        with _progress() as progress:
            made = move.cut_over(parts, exchange, progress.update)
    else:
        made = move.countersign(parts, exchange)
    if as_json:
        typer.echo(msgspec.json.encode(made).decode())
        return
    if made.signed_by == ["seller"]:
        typer.echo(f"This side's tenure has ended, and {exchange.cutover} says so.")
        typer.echo(f"Next, at the buyer: `reelm transfer cutover --exchange {folder}`.")
        typer.echo("Then here once more, so that this address says who is in charge.")
        return
    if made.cutover.erasures:
        typer.echo(
            f"{len(made.cutover.erasures):,} people asked the seller to be erased after the seal,"
            " as it says; this region's worker erases them."
        )
    typer.echo(
        f"{made.cutover.operator} is in charge from epoch {made.cutover.to_epoch} on; both have"
        " signed."
    )


def _is_seller(parts: Parts) -> bool:
    """Whether this home is the seller of the newest sale that it knows of.

    Raises:
        Conflict: it is neither seller nor buyer.
    """
    with parts.transaction() as session:
        transfer = newest_transfer(session)
    if transfer is None:
        return False
    own = parts.home.operator_public_key()
    if own not in {transfer.scope.seller.public_key, transfer.scope.buyer.public_key}:
        raise Conflict("This home's key is neither that of the seller nor that of the buyer.")
    return own == transfer.scope.seller.public_key


def _progress() -> Status:
    """Return a line that says what is being done, and is gone in the end."""
    return Console(stderr=True).status("Beginning.")


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 1048576:.1f} MiB"
