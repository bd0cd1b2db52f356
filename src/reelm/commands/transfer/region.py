"""`reelm transfer submit`, `approvals`, `status` and `abort`, in the region that is sold."""

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reelm import transfer
from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.transfer.current import newest_transfer

WORDS = {
    "sale": "The signature under the scope",
    "approve": "The approval",
    "refuse": "The refusal",
    "revoke": "The revocation",
}


def submit(parts: Parts, envelope: Path, *, as_json: bool) -> None:
    """Hand a statement in, and say what became of it and of the sale."""
    with parts.transaction() as session:
        taken = transfer.submit_statement(session, envelope.read_bytes())
        state = transfer.status(session).state
    if as_json:
        typer.echo(msgspec.json.encode({**msgspec.to_builtins(taken), "state": state}).decode())
        return
    what = WORDS[taken.kind]
    was = "is taken in" if taken.is_new else "was taken in before; nothing changed"
    typer.echo(f"{what} {was}. The sale is {state}.")


def approvals(parts: Parts, *, as_json: bool) -> int:
    """Show where each authority stands; return 1 while the sale is not approved."""
    with parts.transaction() as session:
        transfer.open_transfer(session)
        found = transfer.status(session)
    if as_json:
        told = {"approvals": found.approvals, "lacks": found.lacks}
        typer.echo(msgspec.json.encode(told).decode())
        return 1 if found.lacks else 0
    table = Table("authority", "for", "standing", "reference", "until")
    for one in found.approvals:
        until = "-" if one.valid_until is None else utc_text(one.valid_until)
        row = (one.authority, ", ".join(one.powers), one.standing, one.reference or "-", until)
        table.add_row(*map(Text, row))
    Console().print(table)
    for lack in found.lacks:
        typer.echo(lack.sentence)
    return 1 if found.lacks else 0


def status(parts: Parts, *, as_json: bool) -> None:
    """Say where the newest sale stands."""
    with parts.transaction() as session:
        found = transfer.status(session)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo(f"The sale is {found.state}." if found.transfer_id else "There was no sale.")
    if found.buyer is not None and found.seller is not None:
        typer.echo(f"  scope   {found.scope_digest}")
        typer.echo(f"  seller  {found.seller.operator}")
        typer.echo(f"  buyer   {found.buyer.operator}, keeps the data in {found.buyer.country}")
        typer.echo(f"  signed  {', '.join(found.signed_by) or 'by nobody yet'}")
    if found.freeze_from is not None:
        at = utc_text(found.freeze_from)
        typer.echo(f"  told    everybody; nothing is frozen before {at}")
    if found.reason:
        typer.echo(f"  reason  {found.reason}")
    for title, sentences in (
        ("Missing", [one.sentence for one in found.lacks]),
        ("For a person to check", [f"{one.authority}: {one.words}" for one in found.for_a_person]),
        ("Next", found.next),
    ):
        if sentences:
            typer.echo(f"{title}:")
        for sentence in sentences:
            typer.echo(f"  - {sentence}")


def abort(parts: Parts, reason: str) -> None:
    """End the open sale; one that was aborted before stays as it is.

    Raises:
        Missing: no sale is open, and the last one was not aborted.
        Conflict: this home is the buyer's.
    """
    with parts.transaction() as session:
        newest = newest_transfer(session)
        if newest is not None and newest.scope.buyer.public_key == parts.home.operator_public_key():
            raise Conflict("This home is the buyer's: the seller aborts a sale.")
        if newest is None or newest.ending != "aborted":
            newest = transfer.abort(session, reason)
    typer.echo(f"The sale to {newest.scope.buyer.operator} is aborted.")
