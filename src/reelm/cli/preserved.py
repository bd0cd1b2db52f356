"""`reelm order preserved`: copies of accounts that orders have preserved."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region

preserved = typer.Typer(
    no_args_is_help=True,
    help="""What orders to preserve have kept: list it, and open it with the identity.

The copies are encrypted to the key of `keys/preservation.age`, which docs/orders.md says to keep
elsewhere. An order's copies are destroyed when it ends.""",
)


@preserved.command(name="list")
def list_(
    region: Region,
    order: Annotated[int | None, typer.Argument(help="Id of an order; all if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the preserved copies, the oldest first."""
    from reelm.commands import preserved as command

    with open_region(region) as parts:
        command.show(parts, order, as_json=as_json)


@preserved.command(name="open")
def open_(
    order: Annotated[int, typer.Argument(help="Id of the order to preserve.")],
    region: Region,
    identity: Annotated[Path, typer.Option(help="File with the preservation identity.")],
    out: Annotated[Path, typer.Option(help="New file for the zip; only you can read it.")],
    copy: Annotated[
        int | None, typer.Option(help="Which copy, where the order has more than one.")
    ] = None,
) -> None:
    """Decrypt a preserved copy into a zip; that it was opened goes to the audit log."""
    from reelm.commands import preserved as command

    with open_region(region) as parts:
        command.open_copy(parts, order, identity=identity, out=out, copy_id=copy)
