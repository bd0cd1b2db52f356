"""`reelm sbom`: what is installed."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson


def sbom(
    region: Annotated[
        Path | None,
        typer.Option(
            "--region",
            envvar="REELM_REGION",
            help="List the ffmpeg and PostgreSQL of this region's settings.",
            show_default="those that are installed with Reelm",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare each installed file with its wheel's own list."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what is installed, with versions, licences and hashes (SBOM, CycloneDX 1.6).

    The digest is the one that /region publishes, and the same wherever the same is installed:

      reelm sbom --json | sha256sum

    With --check, exit status 1 if a file is not as it was installed.
    """
    from reelm.commands import sbom as command

    raise typer.Exit(command.run(region, check=check, as_json=as_json))
