"""`reelm transfer grant` and `grants`: what a former operator may do for a while."""

from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region

grants = typer.Typer(
    no_args_is_help=True,
    help="What the former operator was granted for the transition: list it, or end it early.",
)


def grant(
    region: Region,
    to: Annotated[str, typer.Option(help="Handle of the account; made if missing.")],
    until: Annotated[str, typer.Option(help="When it ends, such as 2027-03-01T00:00:00Z.")],
    reason: Annotated[str, typer.Option(help="Why; everybody can read it on /region.")],
    role: Annotated[str, typer.Option(help="A role without data of people.")] = "analyst",
    as_json: AsJson = False,
) -> None:
    """At the buyer, after the cutover: give somebody of the former operator a role for a while.

    It ends by itself at that time. The policy pack may forbid it, or allow fewer days.
    """
    from reelm.commands.transfer import grants as command
    from reelm.commands.transfer.times import time

    at = time(until, "--until")
    with open_region(region) as parts:
        command.grant(parts, to, role, at, reason, as_json=as_json)


@grants.command("list")
def list_(region: Region, as_json: AsJson = False) -> None:
    """List what was granted to the former operator, and what became of it."""
    from reelm.commands.transfer import grants as command

    with open_region(region) as parts:
        command.list_(parts, as_json=as_json)


@grants.command()
def revoke(
    region: Region,
    grant_id: Annotated[int, typer.Argument(help="Number of the grant.")],
) -> None:
    """End a grant before its time."""
    from reelm.commands.transfer import grants as command

    with open_region(region) as parts:
        command.revoke(parts, grant_id)
