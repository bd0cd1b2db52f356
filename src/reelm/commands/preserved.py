"""`reelm order preserved`: list what orders have preserved, and open a copy."""

from pathlib import Path

import msgspec
import typer

from reelm import accounts
from reelm.foundation.parts import Parts


def show(parts: Parts, order_id: int | None, *, as_json: bool) -> None:
    """List preserved copies for a person or a program."""
    with parts.transaction() as session:
        found = accounts.preserved_copies(session, order_id)
    if as_json:
        typer.echo(msgspec.json.encode(found))
        return
    if not found:
        typer.echo("Nothing is preserved.")
    for one in found:
        typer.echo(
            f"{one.id}  order {one.order_id}  account {one.account_id}"
            f"  as of the {one.occasion}, {one.made_at:%Y-%m-%d %H:%M} UTC,"
            f" {one.size_bytes:,} bytes"
        )


def open_copy(
    parts: Parts, order_id: int, *, identity: Path, out: Path, copy_id: int | None
) -> None:
    """Decrypt a preserved copy into the new file `out`."""
    copy = accounts.open_preserved(parts, order_id, identity=identity, out=out, copy_id=copy_id)
    typer.echo(
        f"{out} holds account {copy.account_id} as of the {copy.occasion},"
        f" {copy.made_at:%Y-%m-%d %H:%M} UTC. That it was opened is in the audit log."
    )
