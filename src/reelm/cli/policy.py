"""`reelm policy`: what the law of a jurisdiction asks, as far as its pack says."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson

policy = typer.Typer(
    no_args_is_help=True, help="What the law of a jurisdiction asks, each with its source."
)


@policy.command()
def show(
    jurisdiction: Annotated[
        str | None, typer.Argument(help="Such as IN, DE, EU or neutral.", show_default=False)
    ] = None,
    region: Annotated[
        Path | None,
        typer.Option("--region", envvar="REELM_REGION", help="Show the pack of this region."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a policy pack, or list those there are.

    Each value has the source that was read and when; a key without one says why it is unset.
    """
    from reelm.commands import policy as command

    command.show(jurisdiction, region, as_json=as_json)


@policy.command()
def check(
    file: Annotated[Path, typer.Argument(help="A pack, or a member's overlay, as TOML.")],
) -> None:
    """Check the file of a policy pack; exit status 2 with the key that is wrong."""
    from reelm.commands import policy as command

    command.check(file)
