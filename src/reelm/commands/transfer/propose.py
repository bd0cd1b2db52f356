"""`reelm transfer propose` and `scope`: fix what is sold, and write it down for people."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import typer

from reelm import transfer
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale
from reelm.proofs.sale import Conditions


def choices(
    assets: Sequence[str], terms: Sequence[str], controlled: Sequence[str], origin: str
) -> transfer.Choices:
    """Return what the options choose.

    Raises:
        Invalid: one is not NAME=VALUE.
    """
    return transfer.Choices(
        dispositions=_pairs("--asset", assets),
        terms=_pairs("--terms", terms),
        export_controlled=frozenset(controlled),
        origin=origin,
    )


def propose(
    parts: Parts,
    buyer: Path,
    chosen: transfer.Choices,
    cutover_before: datetime | None,
    out: Path,
    *,
    as_json: bool,
) -> None:
    """Propose a sale, and write its scope before it is kept."""
    told = sale.read_buyer(buyer.read_bytes())
    conditions = Conditions(cutover_before=cutover_before)
    with parts.transaction() as session:
        proposal = transfer.propose(session, parts, told, chosen, conditions)
        document, page = _write(proposal.scope, proposal.digest, out)
    if as_json:
        typer.echo(
            msgspec.json.encode(
                {
                    "transfer_id": str(proposal.transfer_id),
                    "scope_digest": proposal.digest,
                    "scope": str(document),
                    "page": str(page),
                }
            ).decode()
        )
        return
    typer.echo(f"The sale to {told.operator} is proposed. Its scope has the digest\n")
    typer.echo(f"  {proposal.digest}\n")
    typer.echo(f"{document} is what everybody signs; {page} is for people to read.")


def scope(parts: Parts, out: Path) -> None:
    """Write the scope of the open sale."""
    with parts.transaction() as session:
        known = transfer.open_transfer(session)
    document, page = _write(known.scope, known.scope_digest, out)
    typer.echo(f"{document} is what everybody signs; {page} is for people to read.")


def _write(what: sale.Scope, digest: str, out: Path) -> tuple[Path, Path]:
    out.mkdir(parents=True, exist_ok=True)
    document, page = (out / f"scope-{digest[:16]}.{kind}" for kind in ("json", "md"))
    document.write_bytes(canonical(what) + b"\n")
    page.write_text(transfer.markdown(what), "utf-8")
    return document, page


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, is_pair, value = text.partition("=")
        if not is_pair or not name or not value or name in pairs:
            raise Invalid(f"{option} is NAME=VALUE, once for each name, and not {text}.")
        pairs[name] = value
    return pairs
