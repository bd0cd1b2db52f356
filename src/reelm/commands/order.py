"""`reelm order`: the authority's desk, and handing orders in."""

from pathlib import Path
from typing import Any

import msgspec
import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from reelm import moderation
from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Invalid
from reelm.foundation.home import write_secret
from reelm.foundation.parts import Parts
from reelm.regions import orders


def keygen(path: Path) -> None:
    """Write a new private key to `path` and print its public half."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_secret(path, pem.decode("ascii").strip())
    typer.echo(key.public_key().public_bytes_raw().hex())


def draft(fields: dict[str, Any]) -> None:
    """Print the statement that these fields make.

    Raises:
        Invalid: a field is wrong; says which.
    """
    written = {name: value for name, value in fields.items() if value not in (None, "", False)}
    whole = {"form": orders.FORM, **written, "issued_at": utc_text(now().replace(microsecond=0))}
    payload = msgspec.json.encode(whole)
    orders.read_statement(payload)
    typer.echo(msgspec.json.format(payload).decode())


def sign(statement: Path, keys: list[Path]) -> None:
    """Print the envelope of a statement signed by these keys.

    Raises:
        Invalid: the statement is wrong, or a file is no Ed25519 key.
    """
    payload = statement.read_bytes()
    orders.read_statement(payload)
    private = [_private_key(path) for path in keys]
    typer.echo(orders.sign_envelope(payload, orders.PAYLOAD_TYPE, private).decode())


def submit(parts: Parts, envelope: Path, *, as_json: bool) -> None:
    """Hand a signed order in and say what became of it."""
    with parts.transaction() as session:
        taken = moderation.submit_order(session, parts, envelope.read_bytes())
    if as_json:
        typer.echo(msgspec.json.encode(taken))
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
        typer.echo(msgspec.json.encode(found))
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


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Invalid(f"{path} is no private key in PEM without a password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(f"{path} is no Ed25519 key; `reelm order keygen` makes one.")
    return key


def _words(state: str) -> str:
    return state.replace("_", " ")
