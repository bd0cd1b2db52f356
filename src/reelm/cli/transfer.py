"""`reelm transfer`: the sale of this region to another operator."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region, say
from reelm.cli.transfer_room import room

transfer = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""The sale of a region: what is sold, who has to agree, and where it stands.

  [bold]reelm transfer propose --buyer buyer.json --region region[/bold]   fix what is sold

  [bold]reelm transfer sign scope.json --key KEY > said.dsse[/bold]        any side; no region

  [bold]reelm transfer submit said.dsse --region region[/bold]             hand in what was signed

  [bold]reelm transfer status --region region[/bold]                       where it stands

Once it is approved, region and buyer move by an exchange folder:

  [bold]rehearse, freeze, seal[/bold] at the seller, [bold]verify[/bold] at the buyer,

  [bold]cutover[/bold] at both, [bold]wind-down[/bold] at the seller.

docs/transfer.md describes the documents, the rules and the states.""",
)

Scope = Annotated[Path, typer.Argument(help="The scope's JSON, from `propose`.")]


@transfer.command()
def propose(
    region: Region,
    buyer: Annotated[Path, typer.Option(help="The buyer's file (form reelm-buyer/1).")],
    out: Annotated[Path, typer.Option(help="Folder for the scope: JSON and page.")] = Path(),
    asset: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=transfer, license, retrain or exclude; transfer if not given; repeatable."
        ),
    ] = None,
    terms: Annotated[
        list[str] | None, typer.Option(help="NAME=TEXT: on which terms; repeatable.")
    ] = None,
    export_controlled: Annotated[
        list[str] | None,
        typer.Option(help="An asset that is so, beside those of the settings; repeatable."),
    ] = None,
    origin: Annotated[
        str, typer.Option(help="Country of origin of the technology, in place of the setting.")
    ] = "",
    cutover_before: Annotated[
        str, typer.Option(help="By when the parties close, such as 2027-03-01T00:00:00Z.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Fix what is sold to whom: write the scope as JSON and as a page, print its digest.

    It is refused where an authority that has to agree is not registered; one sale is open at once.
    """
    from reelm.commands.transfer import propose as command
    from reelm.commands.transfer.times import time

    choices = command.choices(asset or [], terms or [], export_controlled or [], origin)
    before = time(cutover_before, "--cutover-before")
    with open_region(region) as parts:
        command.propose(parts, buyer, choices, before, out, as_json=as_json)


@transfer.command()
def scope(
    region: Region,
    out: Annotated[Path, typer.Option(help="Folder for the scope: JSON and page.")] = Path(),
) -> None:
    """Write the open sale's scope once more, as JSON and as a page."""
    from reelm.commands.transfer import propose as command

    with open_region(region) as parts:
        command.scope(parts, out)


@transfer.command()
def sign(
    scope: Scope,
    key: Annotated[list[Path], typer.Option(help="Private key in PEM; may be repeated.")],
    decision: Annotated[
        str, typer.Option(help="An authority's: approve, refuse or revoke.")
    ] = "approve",
    reference: Annotated[str, typer.Option(help="An authority's own name of the decision.")] = "",
    valid_until: Annotated[
        str, typer.Option(help="Until when an approval holds, such as 2027-03-01T00:00:00Z.")
    ] = "",
    data_country: Annotated[
        str, typer.Option(help="Condition: the buyer keeps the data in this country.")
    ] = "",
    excluded_asset: Annotated[
        list[str] | None, typer.Option(help="Condition: this asset stays behind; repeatable.")
    ] = None,
    cutover_before: Annotated[
        str, typer.Option(help="Condition: the cutover is before this time.")
    ] = "",
    for_a_person: Annotated[
        list[str] | None,
        typer.Option(help="Condition that only a person can check, in words; repeatable."),
    ] = None,
    add_to: Annotated[
        Path | None, typer.Option(help="Add the signature to this envelope instead.")
    ] = None,
) -> None:
    """Print what the holder of a key says of a scope, signed, as a DSSE envelope.

    The key tells the side: seller and buyer agree to the scope, an authority decides on it.
    """
    from reelm.commands.transfer import sign as command

    if add_to is not None:
        command.add(scope, key, add_to)
        return
    words = command.Words(
        decision=decision,
        reference=reference,
        valid_until=valid_until,
        data_country=data_country,
        excluded_assets=excluded_asset or [],
        cutover_before=cutover_before,
        for_a_person=for_a_person or [],
    )
    command.sign(scope, key, words)


@transfer.command()
def submit(
    envelope: Annotated[Path, typer.Argument(help="File with the signed statement.")],
    region: Region,
    as_json: AsJson = False,
) -> None:
    """Hand in a signed statement about the open sale; the same one again changes nothing."""
    from reelm.commands.transfer import region as command

    with open_region(region) as parts:
        command.submit(parts, envelope, as_json=as_json)


@transfer.command()
def approvals(region: Region, as_json: AsJson = False) -> None:
    """Check now who agrees; exit status 1 while the sale is not approved, with each reason."""
    from reelm.commands.transfer import region as command

    with open_region(region) as parts:
        code = command.approvals(parts, as_json=as_json)
    raise typer.Exit(code)


@transfer.command()
def status(region: Region, as_json: AsJson = False) -> None:
    """Say where the sale stands, what is missing, and who has to do what next; on either side."""
    from reelm import app
    from reelm.commands.transfer import region as command

    with app.open_as_owner(region, on_wait=say) as parts:
        command.status(parts, as_json=as_json)


@transfer.command()
def abort(
    region: Region,
    reason: Annotated[str, typer.Option(help="Why; kept here, its digest is logged.")],
) -> None:
    """End the open sale before its cutover, also while it is stayed; a freeze ends with it."""
    from reelm import app
    from reelm.commands.transfer import region as command

    with app.open_as_owner(region, on_wait=say) as parts:
        command.abort(parts, reason)
        app.prepare(parts.home, parts.settings, parts.database.conninfo)


@transfer.command()
def announce(
    region: Region,
    freeze_from: Annotated[
        str, typer.Option(help="From when it may be frozen, such as 2027-03-01T00:00:00Z.")
    ] = "",
    notice_days: Annotated[
        int | None, typer.Option(help="Days of notice; not fewer than pack and setting ask for.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell everybody of the sale that both sides have signed, and from when it may be frozen."""
    from reelm.commands.transfer import announce as command
    from reelm.commands.transfer.times import time

    at = time(freeze_from, "--freeze-from")
    with open_region(region) as parts:
        command.announce(parts, at, notice_days, as_json=as_json)


transfer.add_typer(room, name="room")
