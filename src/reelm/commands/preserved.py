"""`reelm order preserved`: list what orders have preserved, and open a copy."""

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from reelm import accounts
from reelm.foundation.parts import Parts


def show(parts: Parts, order_id: int | None, *, as_json: bool) -> None:
    """List preserved copies for a person or a program."""
    with parts.transaction() as session:
        found = accounts.preserved_copies(session, order_id)
    if as_json:
        typer.echo(msgspec.json.encode(found))
        return
    table = Table("copy", "order", "account", "as of the", "made", "bytes")
    for one in found:
        ids = (str(one.id), str(one.order_id), str(one.account_id))
        table.add_row(*ids, one.occasion, f"{one.made_at:%Y-%m-%d %H:%M}", str(one.size_bytes))
    Console().print(table if found else "Nothing is preserved.")


def open_copy(
    parts: Parts, order_id: int, *, identity: Path, out: Path, copy_id: int | None
) -> None:
    """Decrypt a preserved copy into the new file `out`."""
    copy = accounts.open_preserved(parts, order_id, identity=identity, out=out, copy_id=copy_id)
    typer.echo(
        f"{out} holds account {copy.account_id} as of the {copy.occasion},"
        f" {copy.made_at:%Y-%m-%d %H:%M} UTC. That it was opened is in the audit log."
    )
