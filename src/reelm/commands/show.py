"""`reelm jobs` and `reelm settings`: tables for people, JSON for programs."""

import sys
from datetime import datetime

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reelm.foundation.config import describe
from reelm.foundation.errors import Invalid
from reelm.foundation.jobs.listing import STATES, ListedJob, count_jobs, list_jobs
from reelm.foundation.parts import Parts

COLOURS = {"queued": "cyan", "running": "yellow", "failed": "red", "done": "green"}
# Where the output is not a terminal there is no width to fit into.
WIDE = 240


def jobs(parts: Parts, state: str | None, *, as_json: bool) -> None:
    """Print what is queued, running, failed and done, and why.

    Raises:
        Invalid: there is no such state.
    """
    if state is not None and state not in STATES.values():
        raise Invalid(f"There is no state {state!r}; the states are: {', '.join(COLOURS)}.")
    with parts.transaction() as session:
        listed = list_jobs(session, state=state)
        counts = count_jobs(session)
    if as_json:
        _print_json({"counts": counts, "jobs": listed})
        return
    if listed:
        _console().print(_table(listed))
    _console().print(
        f"{counts.queued} queued, {counts.running} running, {counts.failed} failed, "
        f"{counts.done} done.",
        highlight=False,
    )


def settings(*, as_json: bool) -> None:
    """Print every setting with its variable, default and meaning."""
    names = ("setting", "variable", "default", "meaning")
    rows = list(describe())
    if as_json:
        _print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = Table(*names, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    _console().print(table)


def _table(listed: list[ListedJob]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("id", "task", "about", "state", "tries", "progress", "queued", "ended", "why"):
        table.add_column(name, overflow="fold")
    for job in listed:
        table.add_row(
            job.id,
            job.name,
            job.subject,
            Text(job.state, COLOURS[job.state]),
            str(job.attempts),
            f"{job.progress:.0%}" if job.state == "running" else "",
            _moment(job.queued_at),
            _moment(job.finished_at),
            Text(job.reason or ""),
        )
    return table


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def _print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())  # noqa: T201 - the output of the command
