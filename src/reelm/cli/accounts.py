"""`reelm accounts`: staff roles and locked-out people."""

from typing import Annotated

import typer

from reelm.cli.options import Region, open_region

accounts = typer.Typer(no_args_is_help=True, help="Staff roles and locked-out people.")


@accounts.command()
def staff(
    handle: Annotated[str, typer.Argument(help="Handle; the account is made if missing.")],
    region: Region,
    role: Annotated[
        str, typer.Option(help="owner, officer, moderator, analyst, authority or none.")
    ] = "owner",
) -> None:
    """Give an account a staff role; the way to the first staff account."""
    from reelm.commands import staff as command

    with open_region(region) as parts:
        command.set_role(parts, handle, role)


@accounts.command()
def reset(
    handle: Annotated[str, typer.Argument(help="Handle of the locked-out account.")],
    region: Region,
) -> None:
    """Print new recovery codes for somebody who has lost password and codes.

    All sessions of the account end, and so does its second factor. Make sure that it is the
    right person.
    """
    from reelm.commands import staff as command

    with open_region(region) as parts:
        command.reset(parts, handle)
