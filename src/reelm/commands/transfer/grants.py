"""`reelm transfer grant` and `grants`: what a former operator may do for a while."""

from datetime import datetime

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from reelm import transfer
from reelm.commands.staff import print_codes
from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts


def grant(
    parts: Parts, handle: str, role: str, until: datetime | None, reason: str, *, as_json: bool
) -> None:
    """Give a role that ends by itself; print what to hand over."""
    if until is None:
        raise Invalid("Say with --until when it ends.")
    handle = handle.removeprefix("@")
    with parts.transaction() as session:
        made, codes = transfer.grant_access(
            session, parts, handle=handle, role=role, until=until, reason=reason
        )
    if as_json:
        typer.echo(msgspec.json.encode({**_told(made), "recovery_codes": codes}).decode())
        return
    typer.echo(f"@{handle} of {made.operator} is {made.role} until {utc_text(made.until)}.")
    typer.echo(f"Grant {made.id}; everybody can read on /region that it is given, and why.")
    if codes:
        typer.echo("The account is new. Set its password with one of these recovery codes.")
        print_codes(parts, codes)


def list_(parts: Parts, *, as_json: bool) -> None:
    """List every grant."""
    with parts.transaction() as session:
        found = transfer.grants(session)
    if as_json:
        typer.echo(msgspec.json.encode([_told(one) for one in found]).decode())
        return
    table = Table("grant", "to", "role", "until", "first used", "state")
    for one in found:
        used = "-" if one.used_at is None else utc_text(one.used_at)
        table.add_row(str(one.id), one.operator, one.role, utc_text(one.until), used, one.state)
    Console().print(table)


def revoke(parts: Parts, grant_id: int) -> None:
    """End a grant before its time."""
    with parts.transaction() as session:
        ended = transfer.revoke_grant(session, grant_id)
    typer.echo(f"Grant {ended.id} to {ended.operator} is {ended.state}; nobody is signed in by it.")


def _told(one: transfer.Grant) -> dict[str, object]:
    ids = {name: str(getattr(one, name)) for name in ("id", "transfer_id", "account_id")}
    return {**msgspec.to_builtins(one), **ids}
