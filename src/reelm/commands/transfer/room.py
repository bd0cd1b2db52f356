"""`reelm transfer room`: let a buyer look before it signs, and end that again."""

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from reelm import transfer
from reelm.foundation.clock import utc_text
from reelm.foundation.parts import Parts


def open_(parts: Parts, days: int, *, as_json: bool) -> None:
    """Give a leave, and show its token this once."""
    with parts.transaction() as session:
        opened = transfer.room.open_room(session, days)
    if as_json:
        told = {**msgspec.to_builtins(opened), "room_id": str(opened.room_id)}
        typer.echo(msgspec.json.encode(told).decode())
        return
    typer.echo(f"Data room {opened.room_id} is open until {utc_text(opened.until)}. Its token is\n")
    typer.echo(f"  {opened.token}\n")
    typer.echo("It is shown this once. Hand it to the buyer, who sees with it")
    for name, document in transfer.room.DOCUMENTS.items():
        typer.echo(f"  GET /api/transfers/room/{name}: {document.about}")


def close(parts: Parts, room_id: int | None) -> None:
    """End leaves."""
    with parts.transaction() as session:
        ended = transfer.room.close_rooms(session, room_id)
    what = "No data room was open." if not ended else f"{ended} closed: what they opened is shut."
    typer.echo(what)


def list_(parts: Parts, *, as_json: bool) -> None:
    """List the leaves of the open sale."""
    with parts.transaction() as session:
        found = transfer.room.rooms(session)
    if as_json:
        told = [{**msgspec.to_builtins(one), "room_id": str(one.room_id)} for one in found]
        typer.echo(msgspec.json.encode(told).decode())
        return
    table = Table("data room", "opened", "until", "closed", "views")
    for one in found:
        closed = "-" if one.closed_at is None else utc_text(one.closed_at)
        table.add_row(
            str(one.room_id), utc_text(one.opened_at), utc_text(one.until), closed, str(one.views)
        )
    Console().print(table)
