"""`reelm transfer room`: what the buyer may look at before anybody signs."""

from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region

room = typer.Typer(
    no_args_is_help=True,
    help="The data room: schema, SBOM, numbers and made-up rows for the buyer; nobody's data.",
)


@room.command("open")
def open_(
    region: Region,
    days: Annotated[int, typer.Option(help="For how many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Open the data room of the open sale, and print its secret token, once."""
    from reelm.commands.transfer import room as command

    with open_region(region) as parts:
        command.open_(parts, days, as_json=as_json)


@room.command()
def close(
    region: Region,
    room_id: Annotated[int | None, typer.Argument(help="Which one; all if not given.")] = None,
) -> None:
    """Close the data room: the token opens nothing any more."""
    from reelm.commands.transfer import room as command

    with open_region(region) as parts:
        command.close(parts, room_id)


@room.command("list")
def list_(region: Region, as_json: AsJson = False) -> None:
    """List the data rooms of the open sale, and how often each was looked into."""
    from reelm.commands.transfer import room as command

    with open_region(region) as parts:
        command.list_(parts, as_json=as_json)
