"""`reelm data map`: what holds data, for people, for programs and for docs/data-map.md."""

import sys
from collections.abc import Iterable, Iterator

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reelm import regions
from reelm.app import ROOMS
from reelm.foundation.classes import Form
from reelm.foundation.database import Base
from reelm.regions.data_map import DataMap, NamedEntry
from reelm.web import metrics

# Loaded for what they declare: the map is whole once the rooms and the metrics are.
LOADED = (*ROOMS, metrics)
WIDE = 240
RENEW = "reelm data map --markdown > docs/data-map.md"
HEAD = f"""# Data map

Everything that holds data in a region, with what it declares: where it may lie, what a sale does
with it, and what becomes of it when its account is erased. It is printed from the declarations that
each start of a region checks. To renew it: `{RENEW}`

- *residency* `region`: never outside the region's border; `public`: already published to anyone.
- *transfer*: `transfer` to the buyer, `exclude` (stays, for the reason given), `rebuild` (the buyer
  makes it anew).
- *erasure*: `delete`, `anonymise`, `expire` (gone by itself), `keep` (not about one person, or held
  by law).
- *sealed* columns are encrypted by the account's key (AES-256-GCM); *plain public* ones others may
  see; *plain behaviour* tells what somebody did; *operational* holds nothing of a person.
"""


def show(*, as_json: bool, as_markdown: bool) -> None:
    """Print the data map."""
    found = regions.data_map(Base.metadata)
    if as_json:
        print(msgspec.json.encode(found).decode())  # noqa: T201 - the output of the command
    elif as_markdown:
        print(markdown(found), end="")  # noqa: T201 - the output of the command
    else:
        _show(found)


def markdown(found: DataMap) -> str:
    """Return docs/data-map.md."""
    parts = [HEAD, *_sections(found)]
    return "\n".join(parts)


def _sections(found: DataMap) -> Iterator[str]:
    rows = [
        (f"`{one.name}`", one.residency, one.transfer, one.erasure, one.retention, one.reason)
        for one in found.tables
    ]
    heads = ("table", "residency", "transfer", "erasure", "kept for", "reason")
    yield _markdown_table("Tables", heads, rows)
    columns = [
        (f"`{table.name}`", *(_of_form(table.columns, form) for form in Form))
        for table in found.tables
        if table.columns
    ]
    yield _markdown_table("Columns", ("table", *Form), columns)
    for title, entries in _named(found):
        named = [
            (f"`{one.name}`", one.holds, one.residency, one.transfer, one.erasure, one.reason)
            for one in entries
        ]
        heads = ("name", "holds", "residency", "transfer", "erasure", "reason")
        yield _markdown_table(title, heads, named)


def _named(found: DataMap) -> Iterator[tuple[str, list[NamedEntry]]]:
    yield "Object prefixes", found.object_prefixes
    yield "Job queues", found.job_queues
    yield "Log fields", found.log_fields
    yield "Metric labels", found.metric_labels
    yield "Files and copies", found.files


def _of_form(columns: Iterable[regions.ColumnEntry], form: Form) -> str:
    return ", ".join(f"`{column.name}`" for column in columns if column.form is form)


def _markdown_table(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [f"## {title}", "", _line(heads), _line(["---"] * len(heads))]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _show(found: DataMap) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    table = _table("table", "residency", "transfer", "erasure", "personal columns")
    for one in found.tables:
        personal = [column.name for column in one.columns if column.is_personal]
        table.add_row(
            one.name, one.residency, one.transfer, one.erasure,
            Text(", ".join(personal) or "none"),
        )  # fmt: skip
    console.print(table)
    for title, entries in _named(found):
        console.print(f"\n{title}", style="bold")
        named = _table("name", "residency", "transfer", "erasure", "holds")
        for entry in entries:
            named.add_row(
                entry.name, entry.residency, entry.transfer, entry.erasure, Text(entry.holds)
            )
        console.print(named)
    console.print("\nOf the columns the personal ones are named; --json has all, and the reasons.")


def _table(*heads: str) -> Table:
    table = Table(*heads, box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    return table
