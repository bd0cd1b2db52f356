"""`reelm authority`: who may give legal orders to this region."""

from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region
from reelm.foundation.ids import MAX_ID

AuthorityId = Annotated[int, typer.Argument(min=1, max=MAX_ID, help="Id of the authority.")]

authority = typer.Typer(
    no_args_is_help=True, help="Who may give legal orders here, with which powers and keys."
)


@authority.command()
def add(
    name: Annotated[str, typer.Argument(help="Name, as people know it.")],
    region: Region,
    power: Annotated[
        list[str],
        typer.Option(
            help="order_content, order_service, order_data, approve_transfer, license_technology "
            "or supervise; may be repeated."
        ),
    ],
    objections: Annotated[str, typer.Option(help="Where to object to what it orders.")],
    key: Annotated[
        list[str] | None, typer.Option(help="Ed25519 public key, hex or base64; repeatable.")
    ] = None,
    threshold: Annotated[int, typer.Option(min=1, help="How many of its keys sign an order.")] = 1,
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2, such as IN.")] = None,
    recipient: Annotated[
        str | None, typer.Option(help="age public key to which disclosures are encrypted.")
    ] = None,
) -> None:
    """Register an authority; print its id, which its orders name."""
    from reelm.commands import authority as command
    from reelm.regions.orders import NewAuthority

    new = NewAuthority(
        name=name,
        powers=power,
        keys=key or [],
        threshold=threshold,
        objections=objections,
        country=country,
        recipient=recipient,
    )
    with open_region(region) as parts:
        command.add(parts, new)


@authority.command(name="list")
def list_(region: Region, as_json: AsJson = False) -> None:
    """List the authorities with their powers and keys, and this region's name in orders."""
    from reelm.commands import authority as command

    with open_region(region) as parts:
        command.show(parts, as_json=as_json)


@authority.command()
def change(
    authority_id: AuthorityId,
    region: Region,
    name: Annotated[str | None, typer.Option(help="Name, as people know it.")] = None,
    power: Annotated[
        list[str] | None, typer.Option(help="All its powers from now on; may be repeated.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(min=1, help="How many of its keys sign an order.")
    ] = None,
    objections: Annotated[
        str | None, typer.Option(help="Where to object to what it orders.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="ISO 3166-1 alpha-2, such as IN; empty: none.")
    ] = None,
) -> None:
    """Correct what is registered of an authority; what is not given stays as it is."""
    from reelm.commands import authority as command
    from reelm.regions.orders import AuthorityChange

    what = AuthorityChange(
        name=name, powers=power, threshold=threshold, objections=objections, country=country
    )
    with open_region(region) as parts:
        command.change(parts, authority_id, what)


@authority.command()
def end(authority_id: AuthorityId, region: Region) -> None:
    """End an authority for good: it orders nothing more, what it ordered holds until lifted."""
    from reelm.commands import authority as command

    with open_region(region) as parts:
        command.end(parts, authority_id)


@authority.command(name="set-recipient")
def set_recipient(
    authority_id: AuthorityId,
    recipient: Annotated[str, typer.Argument(help="age public key, age1….")],
    region: Region,
) -> None:
    """Encrypt what is disclosed to an authority to this age key from now on."""
    from reelm.commands import authority as command

    with open_region(region) as parts:
        command.set_recipient(parts, authority_id, recipient)


@authority.command(name="add-key")
def add_key(
    authority_id: AuthorityId,
    key: Annotated[str, typer.Argument(help="Ed25519 public key, hex or base64.")],
    region: Region,
) -> None:
    """Give an authority one more key."""
    from reelm.commands import authority as command

    with open_region(region) as parts:
        command.add_key(parts, authority_id, key)


@authority.command(name="revoke-key")
def revoke_key(
    authority_id: AuthorityId,
    key_id: Annotated[str, typer.Argument(help="Id of the key, from `reelm authority list`.")],
    region: Region,
) -> None:
    """Take a key away: what it signs from now on counts for nothing, what it signed holds."""
    from reelm.commands import authority as command

    with open_region(region) as parts:
        command.revoke_key(parts, authority_id, key_id)
