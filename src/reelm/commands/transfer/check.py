"""`reelm transfer check`: the report of a sale, from its files alone."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer

from reelm.foundation.envelope import read_public_key
from reelm.foundation.errors import Missing
from reelm.proofs.dossier import check_folder


def check(report: Path, known_keys: Sequence[str], *, as_json: bool) -> int:
    """Check a report and say what holds; return 1 where something does not.

    Raises:
        Missing: there is no such folder.
        Invalid: a key that is given is none.
    """
    if not report.is_dir():
        raise Missing(f"{report} is no folder with the report of a sale.")
    keys = [read_public_key(key) for key in known_keys]
    checked = check_folder(report, keys)
    if as_json:
        typer.echo(msgspec.json.encode(checked).decode())
        return 1 if checked.faults else 0
    for fault in checked.faults:
        typer.echo(f"{_shown(fault.file)}: {_shown(fault.sentence)}", err=True)
    if checked.faults:
        typer.echo(f"{report} does not hold.", err=True)
        return 1
    for claim in checked.claims:
        typer.echo(f"- {_shown(claim.sentence)}")
    typer.echo(f"\n{len(checked.claims)} claims follow from the files. They are signed by:\n")
    for one in checked.keys:
        typer.echo(f"  {one.key}  {_shown(one.who)}")
    if not keys:
        typer.echo("\nCompare these keys with ones that you know, or give those by --known-key.")
    return 0


def _shown(text: str) -> str:
    """Return a text of a stranger's without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
