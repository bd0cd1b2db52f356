"""`reelm order submit` and `list`: orders come in, and what became of them."""

from datetime import datetime
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    Console().print(_table(found) if found else "There are no such orders.")


def _table(found: list[orders.ListedOrder]) -> Table:
    """Return the orders as a table of 80 columns or more: nothing is cut, least of all an id."""
    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for name in ("authority", "order", "received", "due"):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(
            str(one.id),
            Text(f"{one.authority}\n{one.reference}"),
            f"{_words(one.kind)}\n{_words(one.ending or one.state)}",
            _minute(one.received_at),
            _due(one),
        )
    return table


def _due(one: orders.ListedOrder) -> Text:
    """Return when an order was due and when it was complied with, and whether that is too late."""
    due = _minute(one.due_at) if one.due_at else "no deadline"
    done = f"\ndone {_minute(one.complied_at)}" if one.complied_at else ""
    late = (" late" if one.complied_at else " overdue") if one.is_overdue else ""
    return Text(f"{due}{done}{late}", "bold red" if late else "")


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _words(state: str) -> str:
    return state.replace("_", " ")
