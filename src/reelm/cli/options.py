"""Options that many commands share, and how commands open a region and speak."""

from pathlib import Path
from typing import Annotated, Any

import typer

Region = Annotated[
    Path,
    typer.Option("--region", envvar="REELM_REGION", help="The region home.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def open_region(region: Path) -> Any:
    """Open a region, and say so where that has to wait for another process."""
    from reelm import app

    return app.open_region(region, on_wait=say)


def say(sentence: str) -> None:
    """Tell a sentence to the person at the terminal."""
    typer.echo(sentence, err=True)
