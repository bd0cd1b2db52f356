"""`reelm authority`: who may give legal orders to this region."""

import msgspec
import typer

from reelm import regions
from reelm.foundation.parts import Parts
from reelm.regions import orders


def add(parts: Parts, new: orders.NewAuthority) -> None:
    """Register an authority and print its id."""
    with parts.transaction() as session:
        authority_id = orders.add_authority(session, new)
        region_id = regions.region_id(session)
    typer.echo(f"{new.name} is authority {authority_id} here; its orders name region {region_id}.")


def show(parts: Parts, *, as_json: bool) -> None:
    """List the authorities for a person or a program."""
    with parts.transaction() as session:
        found = orders.authorities(session)
        region_id = regions.region_id(session)
    if as_json:
        typer.echo(msgspec.json.encode({"region": region_id, "authorities": found}).decode())
        return
    typer.echo(f"This region's name in orders: {region_id}")
    for one in found:
        ended = f" (ended {one.ended_at:%Y-%m-%d})" if one.ended_at else ""
        typer.echo(f"\n{one.id}  {one.name}{ended}")
        typer.echo(f"  powers     {', '.join(one.powers)}")
        typer.echo(f"  threshold  {one.threshold}")
        if one.recipient:
            typer.echo(f"  recipient  {one.recipient}")
        for key in one.keys:
            typer.echo(f"  key        {key.key_id}{' (revoked)' if key.revoked_at else ''}")
        if one.warning:
            typer.echo(f"  warning    {one.warning}")


def change(parts: Parts, authority_id: int, what: orders.AuthorityChange) -> None:
    """Correct what is registered of an authority and say what it is now."""
    with parts.transaction() as session:
        now = orders.change_authority(session, authority_id, what)
    country = f" ({now.country})" if now.country else ""
    typer.echo(
        f"{now.name}{country} may {', '.join(now.powers)}; {now.threshold} of its keys sign."
    )
    _warn(now)


def end(parts: Parts, authority_id: int) -> None:
    """End an authority."""
    with parts.transaction() as session:
        orders.end_authority(session, authority_id)
    typer.echo(
        "The authority has ended: it orders nothing more; what it ordered holds until lifted."
    )


def set_recipient(parts: Parts, authority_id: int, recipient: str) -> None:
    """Set the age recipient of disclosures to an authority."""
    with parts.transaction() as session:
        orders.set_recipient(session, authority_id, recipient)
    typer.echo("Disclosures to this authority are encrypted to this key from now on.")


def add_key(parts: Parts, authority_id: int, key: str) -> None:
    """Give an authority one more key and print its id."""
    with parts.transaction() as session:
        typer.echo(orders.add_key(session, authority_id, key))


def revoke_key(parts: Parts, authority_id: int, key_id: str) -> None:
    """Take a key away from an authority."""
    with parts.transaction() as session:
        left = orders.revoke_key(session, authority_id, key_id)
    typer.echo("The key is revoked; what it signed before holds.")
    _warn(left)


def _warn(known: orders.KnownAuthority) -> None:
    if known.warning:
        typer.echo(f"Warning: {known.warning}")
