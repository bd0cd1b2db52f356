"""`reelm transfer`: the steps of the move, at the seller's home and at the buyer's."""

from pathlib import Path
from typing import Annotated, Any

import typer

from reelm.cli.options import AsJson, Region, say
from reelm.cli.transfer import transfer
from reelm.cli.transfer_grants import grant, grants

EXCHANGE = "Folder that both operators can reach, or a disk that is carried."
__all__ = ["transfer"]
ExchangeFolder = Annotated[Path, typer.Option("--exchange", help=EXCHANGE, show_default=False)]


@transfer.command()
def buyer(
    region: Region,
    country: Annotated[
        str, typer.Option(help="Where database, store and keys will be kept, such as IN.")
    ],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("buyer.json"),
) -> None:
    """At the buyer: write what the seller needs for a proposal, from a new region home.

    `reelm init` makes the home; it must never have served.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        command.buyer(parts, country, out)


@transfer.command()
def rehearse(region: Region, exchange: ExchangeFolder, as_json: AsJson = False) -> None:
    """At the seller, while the region serves: copy objects ahead, and try the seal.

    Says how long the region would be frozen. It may be cut off and run again.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        command.rehearse(parts, exchange, as_json=as_json)


@transfer.command()
def freeze(region: Region) -> None:
    """At the seller: let nothing be written any more that goes along.

    Orders, erasures, deadlines and the audit log go on. `reelm transfer abort` ends it.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        command.freeze(parts)


@transfer.command()
def seal(region: Region, exchange: ExchangeFolder, as_json: AsJson = False) -> None:
    """At the seller: write the frozen region into the exchange folder, for its buyer alone.

    Cut off, it goes on where it was when it is run again.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        command.seal(parts, exchange, as_json=as_json)


@transfer.command()
def verify(region: Region, exchange: ExchangeFolder, as_json: AsJson = False) -> None:
    """At the buyer: verify and import the bundle, and write the receipt; at the seller: read it.

    Exit status 1 and a sentence where something is not what the seller closed.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        code = command.verify(parts, exchange, as_json=as_json)
    raise typer.Exit(code)


@transfer.command()
def cutover(region: Region, exchange: ExchangeFolder, as_json: AsJson = False) -> None:
    """Hand the region over: first at the seller, then at the buyer, each signing one document.

    Everything is checked once more. From the seller's signature on its database refuses writes;
    with the buyer's the buyer's serves.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        command.cutover(parts, exchange, as_json=as_json)


@transfer.command()
def manifest(
    region: Region,
    exchange: ExchangeFolder,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("closing.dsse"),
) -> None:
    """At the buyer: write the closing manifest in clear, with the seller's signature.

    It tells how many rows each table has, of orders as well: hand it to those who may know.
    """
    from reelm.commands.transfer import move as command

    with _open_as_owner(region) as parts:
        command.manifest(parts, exchange, out)


@transfer.command()
def check(
    report: Annotated[Path, typer.Argument(help="Folder with the report of a sale.")],
    known_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]KEY",
            help="A public key that you know, and whose it is; repeatable: then no other counts.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute each claim of a sale's report anew, from its files alone; no region, no database.

    Exit status 1, and the name of the file, where a byte was changed or a claim does not follow.
    """
    from reelm.commands.transfer import check as command

    raise typer.Exit(command.check(report, known_key or [], as_json=as_json))


transfer.command()(grant)
transfer.add_typer(grants, name="grants")


def _open_as_owner(region: Path) -> Any:
    from reelm import app

    return app.open_as_owner(region, on_wait=say)
