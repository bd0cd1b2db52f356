"""`reelm transfer check`: the report of a sale, from its files alone."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer

from reelm.foundation.envelope import read_public_key
from reelm.foundation.errors import Missing
from reelm.proofs.dossier import KnownKey, check_folder

# NAME=KEY, or the key alone: as 64 hex digits, or as base64, which ends in "=" itself.
_KNOWN = re.compile(r"(?:(?P<who>.+)=)?(?P<key>[0-9A-Fa-f]{64}|[A-Za-z0-9+/]{43}=)")


def check(report: Path, known_keys: Sequence[str], *, as_json: bool) -> int:
    """Check a report and say what holds; return 1 where something does not.

    Raises:
        Missing: there is no such folder.
        Invalid: a key that is given is none.
    """
    if not report.is_dir():
        raise Missing(f"{report} is no folder with the report of a sale.")
    keys = [_known(text) for text in known_keys]
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


def _known(text: str) -> KnownKey:
    found = _KNOWN.fullmatch(text.strip())
    who, key = found.group("who", "key") if found else (None, text)
    return KnownKey(read_public_key(key), who)


def _shown(text: str) -> str:
    """Return a text of a stranger's without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
