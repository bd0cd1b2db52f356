"""`reelm transfer sign`: the desk of any side, which needs the scope and a key, and no region."""

from pathlib import Path

import msgspec
import typer

from reelm import transfer
from reelm.commands.order_desk import private_key
from reelm.commands.transfer.times import time
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale
from reelm.proofs.sale import Conditions


class Words(msgspec.Struct, frozen=True):
    """The options of an authority, as they were typed; empty ones were not given."""

    decision: str
    reference: str
    valid_until: str
    data_country: str
    excluded_assets: list[str]
    cutover_before: str
    for_a_person: list[str]


def sign(scope: Path, keys: list[Path], words: Words) -> None:
    """Print what the holder of these keys says of a scope."""
    conditions = Conditions(
        data_country=words.data_country or None,
        excluded_assets=words.excluded_assets,
        cutover_before=time(words.cutover_before, "--cutover-before"),
        for_a_person=words.for_a_person,
    )
    try:
        decision = msgspec.convert(words.decision, sale.Decision)
    except msgspec.ValidationError:
        raise Invalid("The decision is approve, refuse or revoke.") from None
    said = transfer.Said(
        decision=decision,
        reference=words.reference,
        valid_until=time(words.valid_until, "--valid-until"),
        conditions=conditions,
    )
    private = [private_key(path) for path in keys]
    known = read_scope(scope)
    for name in words.excluded_assets:
        if known.asset(name) is None:
            names = ", ".join(one.name for one in known.technology)
            raise Invalid(f"--excluded-asset {name}: the assets of the scope are {names}.")
    typer.echo(transfer.sign_scope(known, private, said, now()).decode())


def add(scope: Path, keys: list[Path], envelope: Path) -> None:
    """Print an envelope with these keys' signatures added."""
    private = [private_key(path) for path in keys]
    text = envelope.read_bytes()
    whole = transfer.add_signature(read_scope(scope), text, private)
    before, after = (len(msgspec.json.decode(one)["signatures"]) for one in (text, whole))
    if after == before:
        raise Invalid("This key has signed it already: another of the authority has to sign.")
    typer.echo(f"It has {after} signatures now.", err=True)
    typer.echo(whole.decode())


def read_scope(path: Path) -> sale.Scope:
    """Return the scope in a file, and say on standard error what its digest is."""
    scope = sale.read_scope(path.read_bytes())
    digest = sale.digest_of(canonical(scope))
    typer.echo(f"Scope {digest}: {scope.seller.operator} to {scope.buyer.operator}.", err=True)
    return scope
