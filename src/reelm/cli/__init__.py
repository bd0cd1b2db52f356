"""The `reelm` command; groups of commands have a file of their own beside this one."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from reelm import __version__
from reelm.cli import transfer_wind_down
from reelm.cli.accounts import accounts
from reelm.cli.audit import audit
from reelm.cli.authority import authority
from reelm.cli.data import data
from reelm.cli.demo import demo
from reelm.cli.egress import egress
from reelm.cli.options import AsJson, Region, open_region, say
from reelm.cli.order import order
from reelm.cli.policy import policy
from reelm.cli.prove import prove
from reelm.cli.sbom import sbom
from reelm.cli.transfer_move import transfer
from reelm.cli.transparency import transparency
from reelm.foundation.errors import ReelmError

cli = typer.Typer(
    name="reelm",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""A short-video platform that a country can keep at home.

One region is one folder: its settings, keys, database and media.

  [bold]reelm init region --jurisdiction IN --operator "Name"[/bold]   make a region

  [bold]reelm serve --region region[/bold]                             run it

  [bold]reelm import --region region --as ana *.mp4[/bold]             bring videos in

Or try it at once with made-up content: [bold]reelm demo[/bold]""",
)
cli.add_typer(accounts, name="accounts")
cli.add_typer(audit, name="audit")
cli.add_typer(policy, name="policy")
cli.add_typer(data, name="data")
cli.add_typer(demo, name="demo")
cli.add_typer(egress, name="egress")
cli.add_typer(prove, name="prove")
cli.add_typer(authority, name="authority")
cli.add_typer(order, name="order")
cli.add_typer(transparency, name="transparency")
transfer_wind_down.add_to(transfer)
cli.add_typer(transfer, name="transfer")
cli.command()(sbom)


@cli.command()
def init(
    path: Annotated[Path, typer.Argument(help="New folder for the region home.")],
    jurisdiction: Annotated[
        str, typer.Option(help="Such as IN, DE or neutral; `reelm policy show` lists them.")
    ],
    operator: Annotated[str, typer.Option(help="Legal entity that will run the region.")],
    name: Annotated[str, typer.Option(help="Name shown to people.")] = "Reelm",
    number: Annotated[
        int | None, typer.Option(min=0, max=1023, help="Number inside ids; random if not given.")
    ] = None,
) -> None:
    """Make a region: settings, keys and folders.

    Every secret is generated. Nothing is sent anywhere.
    """
    import secrets

    from reelm import app

    chosen = secrets.randbelow(1024) if number is None else number
    app.make_region(path, jurisdiction=jurisdiction, operator=operator, name=name, number=chosen)
    typer.echo(f"The region is made. Run it with:\n  reelm serve --region {path}")


@cli.command()
def serve(region: Region) -> None:
    """Run the region: database, web and worker, until Ctrl-C.

    Settings are in region.toml and REELM_*; `reelm settings` lists them.
    """
    from reelm.commands import serve as command

    def on_ready(port: int, settings: Any) -> None:
        public = settings.http.public_url or f"http://{_shown(settings.http.address)}:{port}"
        typer.echo(f"{settings.region.name} is at {public} (Ctrl-C stops it)")

    command.serve(region, say, on_ready)


@cli.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Video files.", show_default=False)],
    region: Region,
    handle: Annotated[str, typer.Option("--as", help="Account that posts; made if missing.")],
    as_json: AsJson = False,
) -> None:
    """Bring local video files in, through the same pipeline as uploads.

    Each file is published or refused by itself; the exit status is 1 if any was refused.
    """
    from reelm import app
    from reelm.commands import import_videos
    from reelm.commands.serve import is_served
    from reelm.foundation.home import Home

    with app.open_region(region, connections=8, on_wait=say) as parts:
        is_running = is_served(Home(region))
        status = import_videos.run(parts, handle, files, as_json=as_json, worker_running=is_running)
    raise typer.Exit(status)


@cli.command()
def jobs(
    region: Region,
    as_json: AsJson = False,
    state: Annotated[str | None, typer.Option(help="Only queued, running, failed or done.")] = None,
) -> None:
    """Show what is queued, running and failed, and why."""
    from reelm.commands import show

    with open_region(region) as parts:
        show.jobs(parts, state, as_json=as_json)


@cli.command()
def doctor(region: Region, as_json: AsJson = False) -> None:
    """Check every part of a region and say how to mend it; exit status 1 if something is wrong."""
    from reelm.commands import doctor as command

    raise typer.Exit(command.run(region, as_json=as_json))


@cli.command()
def backup(
    target: Annotated[Path, typer.Argument(help="New folder for the backup.")],
    region: Region,
) -> None:
    """Copy database, objects, settings and keys to a folder, while the region runs.

    The backup holds the keys: keep it as safe as the region itself.
    """
    from reelm.commands import backup as command

    command.backup(region, target, say)


@cli.command()
def restore(
    source: Annotated[Path, typer.Argument(help="Folder of a backup.")],
    path: Annotated[Path, typer.Argument(help="New folder for the region home.")],
) -> None:
    """Make a region from a backup, and check that all of it is there."""
    from reelm.commands import backup as command

    command.restore(source, path, say)


@cli.command()
def settings(as_json: AsJson = False) -> None:
    """List every setting with its variable, default and meaning."""
    from reelm.commands import show

    show.settings(as_json=as_json)


@cli.command()
def evaluate(
    score_from: Annotated[
        int | None,
        typer.Option(
            min=0,
            show_default=False,
            help="Learn only before this time, in ms since 1970; then score. Such as the first"
            " event's time_ms and a tenth of the time to the last. Has to be given.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Folder with events.parquet and videos.parquet."),
    ] = None,
    own_log: Annotated[
        bool, typer.Option("--own-log", help="Take the log of the region instead of a folder.")
    ] = False,
    region: Annotated[
        Path | None,
        typer.Option("--region", envvar="REELM_REGION", help="The region home, for --own-log."),
    ] = None,
    report: Annotated[
        str | None, typer.Option(help="json: print the JSON line alone.", show_default=False)
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Write each prediction to this .csv or .parquet file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the measures over time to this .svg or .png file.")
    ] = None,
) -> None:
    """Measure the ranker on a log of real views, beside two baselines.

    Each event is predicted first and learnt then. The last line is JSON; docs/evaluate.md
    tells formats, protocol and formulas.
    """
    from reelm.commands import evaluate as command
    from reelm.foundation.errors import Invalid

    options = command.Options(report=report, predictions=predictions, plot=plot)
    if own_log and region and not folder:
        with open_region(region) as parts:
            command.run_on_own_log(parts, score_from, **options)
    elif folder and not own_log:
        command.run_on_folder(folder, score_from, **options)
    else:
        raise Invalid("Give either the folder of a log, or --own-log and --region.")


@cli.command(name="rotate-key")
def rotate_key(region: Region) -> None:
    """Replace the key that wraps every account's key, while the region serves.

    May be cut off and run again. Restart the server afterwards.
    """
    from reelm import accounts as room

    with open_region(region) as parts:
        count = room.rotate_region_key(parts)
    typer.echo(f"The region key is new; {count} account keys were wrapped by it.")


@cli.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the release.")] = False,
) -> None:
    """Take the options before the command."""
    if version:
        typer.echo(f"reelm {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; an expected failure is one sentence on stderr and status 2."""
    os.umask(0o077)
    try:
        cli()
    except ReelmError as error:
        _fail(error.sentence)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has left
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{os.fspath(error.filename)}: {error.strerror}.")


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"reelm: {sentence}", err=True)
    sys.exit(2)


def _shown(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)  # noqa: S104 - no bind
