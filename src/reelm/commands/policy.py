"""`reelm policy show` and `reelm policy check`."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reelm import regions
from reelm.app import ROOMS
from reelm.foundation.config import load
from reelm.foundation.errors import Invalid

# Loaded for their tables, some of which say how long their rows are kept.
LOADED = ROOMS
# Where the output is not a terminal there is no width to fit into.
WIDE = 240
UNITS = {"within_h": "h", "days": "days", "years": "years", "months": "months"}


def show(jurisdiction: str | None, region: Path | None, *, as_json: bool) -> None:
    """Print one pack: the one named, else the region's; without either list those there are.

    Raises:
        Invalid: there is no such pack.
    """
    named = jurisdiction or (load(region).region.jurisdiction if region is not None else None)
    if named is None:
        _list(as_json=as_json)
        return
    pack = _pack(named)
    if as_json:
        _print_json(pack)
        return
    console = _console()
    inside = ", ".join(sorted(pack.countries)) or "no country"
    console.print(f"{pack.name}: {inside} inside the border", highlight=False, style="bold")
    console.print(_table(pack))
    for kept in regions.retentions(pack):
        days = "for ever" if kept.days is None else f"for {kept.days} days"
        console.print(f"Rows of {kept.table} are kept {days}.", highlight=False)
    console.print("Facts as read; to be re-checked by counsel before anyone relies on them.")


def check(file: Path) -> None:
    """Check the file of a pack and say what it is.

    Raises:
        Invalid: names the key that is wrong, unknown or missing.
    """
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not a text in UTF-8.") from None
    pack = regions.parse_pack(text, name=file.name)
    there = sum(1 for _, fact in pack.facts() if fact.value is not None)
    every = len(regions.meanings())
    typer.echo(f"{file} is a pack of {pack.name}: {there} of {every} keys have a value.")


def _pack(jurisdiction: str) -> regions.PolicyPack:
    # A union's own pack is no jurisdiction of a region, but may be read.
    if jurisdiction in regions.packs():
        return regions.read_pack(jurisdiction)
    return regions.load_pack(jurisdiction)


def _list(*, as_json: bool) -> None:
    rows = [
        {"jurisdiction": name, "name": regions.load_pack(name).name, "pack": pack}
        for name, pack in regions.jurisdictions().items()
    ]
    if as_json:
        _print_json(rows)
        return
    table = Table("jurisdiction", "name", "pack", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.values())
    _console().print(table)


def _table(pack: regions.PolicyPack) -> Table:
    table = Table("key", "value", "source, or why it is unset", "read", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for key, fact in pack.facts():
        if fact.value is None:
            table.add_row(key, Text("unset", "dim"), Text(fact.unset, "dim"), "")
        else:
            why = f"{fact.source}. {fact.note}" if fact.note else fact.source
            table.add_row(key, Text(_shown(key, fact.value), "bold"), Text(why), fact.read_on)
    return table


def _shown(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(value)
    unit = next((unit for ending, unit in UNITS.items() if key.endswith(ending)), "")
    return f"{value} {unit}".strip()


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def _print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())  # noqa: T201 - the output of the command
