"""`reelm order submit` and `list`: orders come in, and what became of them."""

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from reelm import moderation
from reelm.foundation.clock import utc_text
from reelm.foundation.parts import Parts
from reelm.regions import orders


def submit(parts: Parts, envelope: Path, *, as_json: bool) -> None:
    """Hand a signed order in and say what became of it."""
    with parts.transaction() as session:
        taken = moderation.submit_order(session, parts, envelope.read_bytes())
    if as_json:
        typer.echo(msgspec.json.encode(taken).decode())
        return
    before = "" if taken.is_new else " It was taken in before; nothing changed."
    typer.echo(f"Order {taken.order_id} is {_words(taken.state)}.{before}")
    if taken.due_at is not None:
        typer.echo(f"Received {utc_text(taken.received_at)}, due {utc_text(taken.due_at)}.")


def show(parts: Parts, state: str | None, *, due: bool, as_json: bool) -> None:
    """List orders for a person or a program."""
    with parts.transaction() as session:
        found = orders.orders_due(session) if due else orders.orders(session, state=state)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("id", "authority", "reference", "kind", "state", "received", "due", "complied")
    for one in found:
        times = (one.received_at, one.due_at, one.complied_at)
        shown = [time.strftime("%Y-%m-%d %H:%M") if time else "-" for time in times]
        if one.is_overdue:
            shown[1] = f"[bold red]{shown[1]} overdue[/bold red]"
        state_words = _words(one.ending or one.state)
        table.add_row(str(one.id), one.authority, one.reference, one.kind, state_words, *shown)
    Console().print(table if found else "There are no such orders.")


def _words(state: str) -> str:
    return state.replace("_", " ")
