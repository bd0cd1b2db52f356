"""`reelm order`: legal orders, from the authority's desk to this region."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region
from reelm.cli.preserved import preserved

order = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Legal orders: draft and sign one as an authority, hand it in, see what became of it.

The authority's side needs no region, only its own key:

  [bold]reelm order keygen ministry.pem[/bold]   make a key, print its public half

  [bold]reelm order draft remove --video 42 ... > order.json[/bold]   say what is ordered

  [bold]reelm order sign order.json --key ministry.pem > order.dsse[/bold]

The region's side:

  [bold]reelm authority add "Ministry" --key ... --power order_content --objections ...[/bold]

  [bold]reelm order submit order.dsse --region region[/bold]           check it and carry it out

docs/orders.md describes the form, the kinds and the deadlines.""",
)


order.add_typer(preserved, name="preserved")


@order.command()
def keygen(
    path: Annotated[Path, typer.Argument(help="New file for the private key, in PEM.")],
) -> None:
    """Make an Ed25519 key for an authority, and print the public half."""
    from reelm.commands import order_desk as command

    command.keygen(path)


@order.command()
def draft(
    kind: Annotated[
        str,
        typer.Argument(
            help="remove, geo_restrict, suspend_account, block_service, preserve, disclose, "
            "stay_transfer, confirm or lift."
        ),
    ],
    region_id: Annotated[str, typer.Option(help="The region's name in orders, 32 hex digits.")],
    authority: Annotated[str, typer.Option(help="The authority's id in that region.")],
    reference: Annotated[str, typer.Option(help="The authority's own name of the order.")],
    basis: Annotated[str, typer.Option(help="Law and section.")],
    reasons: Annotated[str, typer.Option(help="What is told to the person affected.")] = "",
    video: Annotated[list[str] | None, typer.Option(help="Id of a video; may be repeated.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Id of an account; repeatable.")] = None,
    about: Annotated[
        list[str] | None, typer.Option(help="Reference of the order to lift or confirm.")
    ] = None,
    country: Annotated[
        list[str] | None, typer.Option(help="Where it holds, such as IN; everywhere if not given.")
    ] = None,
    category: Annotated[
        str, typer.Option(help="general, intimate_imagery or terrorist_content.")
    ] = "general",
    interim: Annotated[bool, typer.Option("--interim", help="Lapses unless confirmed.")] = False,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="May not be told of.")
    ] = False,
    complies_by: Annotated[
        str | None, typer.Option(help="By when, such as 2026-12-01T10:00:00Z.")
    ] = None,
    lapses_at: Annotated[str | None, typer.Option(help="When it ends by itself.")] = None,
) -> None:
    """Print the statement of an order, checked, ready to be signed.

    `GET /api/authorities` of a region, or `reelm authority list`, tells its id and yours.
    """
    from reelm.commands import order_desk as command

    targets = {"videos": video or [], "accounts": account or [], "orders": about or []}
    command.draft({
        "region": region_id,
        "authority": authority,
        "reference": reference,
        "kind": kind,
        "basis": basis,
        "reasons": reasons,
        "targets": {name: ids for name, ids in targets.items() if ids},
        "countries": country or None,
        "category": category,
        "interim": interim,
        "confidential": confidential,
        "complies_by": complies_by,
        "lapses_at": lapses_at,
    })  # fmt: skip


@order.command()
def sign(
    statement: Annotated[Path, typer.Argument(help="File with the statement.")],
    key: Annotated[list[Path], typer.Option(help="Private key in PEM; may be repeated.")],
) -> None:
    """Print a statement signed by an authority's keys, as a DSSE envelope."""
    from reelm.commands import order_desk as command

    command.sign(statement, key)


@order.command()
def submit(
    envelope: Annotated[Path, typer.Argument(help="File with the signed order.")],
    region: Region,
    as_json: AsJson = False,
) -> None:
    """Check a signed order and carry it out; the same one again changes nothing."""
    from reelm.commands import order as command

    with open_region(region) as parts:
        command.submit(parts, envelope, as_json=as_json)


@order.command(name="list")
def list_(
    region: Region,
    state: Annotated[
        str | None,
        typer.Option(help="entered, in_force, complied, ended, lifted, lapsed or refused."),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Those that wait, the first due first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List orders, the newest first."""
    from reelm.commands import order as command

    with open_region(region) as parts:
        command.show(parts, state, due=due, as_json=as_json)
