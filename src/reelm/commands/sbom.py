"""`reelm sbom`: the bill of materials, for people or as CycloneDX."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reelm.audit.materials import Bill, bill_of_materials, changed_files
from reelm.foundation.config import RegionSettings, Settings, load
from reelm.videos.programs import programs

# Without a region: what comes with Reelm, which no setting of `region` changes.
NO_REGION = Settings(
    region=RegionSettings(number=0, name="none", jurisdiction="neutral", operator="none")
)


def run(region: Path | None, *, check: bool, as_json: bool) -> int:
    """Print what is installed, or what of it was changed, and return 1 where something was."""
    if check:
        return _check()
    bill = bill_of_materials(programs(NO_REGION if region is None else load(region)))
    if as_json:
        sys.stdout.write(bill.document.decode())
    else:
        _show(bill)
    return 0


def _check() -> int:
    changed = changed_files()
    for path in changed:
        sys.stdout.write(f"{path} is not as it was installed.\n")
    if not changed:
        sys.stdout.write("Every installed file is as its wheel lists it.\n")
    return 1 if changed else 0


def _show(bill: Bill) -> None:
    table = Table("name", "version", "licence", "SHA-256", box=None, pad_edge=False)
    for one in bill.materials:
        table.add_row(*map(Text, (one.name, one.version, one.licence, one.sha256)))
    console = Console() if sys.stdout.isatty() else Console(width=240)
    console.print(table)
    console.print(f"{len(bill.materials)} components; digest {bill.digest}", highlight=False)
