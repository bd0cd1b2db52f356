"""`reelm order keygen`, `draft` and `sign`: the authority's desk, which needs no region."""

from pathlib import Path
from typing import Any

import msgspec
import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Invalid
from reelm.foundation.home import write_secret
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
    private = [private_key(path) for path in keys]
    typer.echo(orders.sign_envelope(payload, orders.PAYLOAD_TYPE, private).decode())


def private_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key in a file.

    Raises:
        Invalid: there is none in it.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Invalid(f"{path} is no private key in PEM without a password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(f"{path} is no Ed25519 key; `reelm order keygen` makes one.")
    return key
