"""`reelm data`: what the region holds."""

from typing import Annotated

import typer

from reelm.cli.options import AsJson

data = typer.Typer(no_args_is_help=True, help="What a region holds, and what may become of it.")


@data.callback()
def group() -> None:
    """Keep `map` a command of its own, as Typer would else take a single one for the group."""


@data.command(name="map")
def map_(
    as_json: AsJson = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/data-map.md.")
    ] = False,
) -> None:
    """Print the data map: tables, columns, object prefixes, queues, log fields, labels, files.

    Each with its residency, what a sale does with it, and what becomes of it when an account is
    erased. It is the same for every region of this release, so no region is asked for.
    """
    from reelm.commands import data_map

    data_map.show(as_json=as_json, as_markdown=as_markdown)
