"""`reelm transparency`: what the audit log comes to, month by month."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson, open_region

transparency = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""The transparency report, counted from the audit log and nothing else.

Anyone can compute it again, without the region:

  [bold]reelm transparency report --month 2026-11 --log log.jsonl[/bold]

docs/transparency.md says what is counted, and how.""",
)


@transparency.callback()
def group() -> None:
    """Keep `report` a command of its own, as Typer would else take a single one for the group."""


@transparency.command()
def report(
    month: Annotated[
        str, typer.Option(help="Such as 2026-11, or months: 2026-01--2026-12.", show_default=False)
    ],
    region: Annotated[
        Path | None,
        typer.Option("--region", envvar="REELM_REGION", help="The region home."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="An exported log instead of a region; it is verified first."),
    ] = None,
    origin: Annotated[str | None, typer.Option(help="The log that the file has to be.")] = None,
    witness_key: Annotated[
        list[str] | None,
        typer.Option(help="Key of a witness that has to have cosigned; may be given again."),
    ] = None,
    previous: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint from before that has to agree; may be given again."),
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
) -> None:
    """Count orders, decisions, grievances and more, and how long they took.

    From an exported log it needs no region and no database; nothing is counted from a log that is
    not sound, and the exit status is 1 then.
    """
    from reelm.commands import transparency as command
    from reelm.foundation.errors import Invalid

    form: command.Form = "json" if as_json else "csv" if as_csv else "text"
    if log is not None:
        given = command.Given(origin, witness_key or [], previous or [])
        raise typer.Exit(command.from_file(log, month, given, form))
    if region is None:
        raise Invalid("Give --region, or --log with an exported log.")
    with open_region(region) as parts:
        command.from_region(parts, month, form)
