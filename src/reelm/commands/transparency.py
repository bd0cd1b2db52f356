"""`reelm transparency report`: from a region, or from an exported log without any database."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from reelm import audit, regions
from reelm.commands.audit.offline import lines_of
from reelm.commands.audit.printing import progress, read_note, say
from reelm.foundation.parts import Parts
from reelm.proofs.note import VerifierKey
from reelm.proofs.verify import Expected
from reelm.transparency import (
    SECTIONS,
    NotSound,
    PublishedReport,
    Section,
    Times,
    csv_text,
    ledger_of_export,
    publish_report,
    read_period,
)

Form = Literal["json", "csv", "text"]


class Given(NamedTuple):
    """What whoever computes a report again knows of the log beforehand."""

    origin: str | None
    witness_keys: Sequence[str]
    previous: Sequence[Path]


def from_file(log: Path, period: str, given: Given, form: Form) -> int:
    """Verify an exported log, print what it comes to, and return 1 where it is not sound."""
    wanted = read_period(period)
    expected = Expected(
        given.origin,
        [VerifierKey.parse(line) for line in given.witness_keys],
        [read_note(note) for note in given.previous],
    )
    try:
        with progress("verifying") as on_progress:
            ledger, origin = ledger_of_export(lines_of(log), expected, on_progress)
    except NotSound as error:
        print(error.sentence, file=sys.stderr)  # noqa: T201 - the outcome of the command
        return 1
    _show(publish_report(ledger, wanted, origin), form)
    return 0


def from_region(parts: Parts, period: str, form: Form) -> None:
    """Take what is pending into the log, and print what it comes to."""
    wanted, signer = read_period(period), regions.audit_signer(parts)
    audit.integrate(parts.database, signer)
    with progress("counting") as on_progress:
        pages = audit.export(parts.database, signer.origin, signer.first_key, on_progress)
        lines = (line for page in pages for line in page.splitlines(keepends=True))
        ledger, origin = ledger_of_export(lines)
    _show(publish_report(ledger, wanted, origin), form)


def _show(published: PublishedReport, form: Form) -> None:
    if form == "json":
        say(msgspec.json.encode(published).decode())
    elif form == "csv":
        sys.stdout.write(csv_text(published.report))
    else:
        _tell(published)


def _tell(published: PublishedReport) -> None:
    finished = "" if published.is_finished else " (not finished)"
    say(f"Transparency report of {published.report.period}{finished}")
    for name, section in published.report.sections.items():
        say("")
        say(SECTIONS[name].title)
        _tell_section(name, section)
    log = published.log
    say("")
    say(f"From the {log.size} entries of {log.origin}, root {log.root}")
    say(f"Digest of the report: {published.digest}")


def _tell_section(name: str, section: Section) -> None:
    words = SECTIONS[name]
    for figure, number in section.figures.items():
        say(f"  {number:>8}  {words.figures[figure]}")
    for measure, values in section.times.items():
        for kind, times in values.items():
            say(f"            {words.times[measure]}, {kind}: {_time(times)}")
    for dimension, counts in section.by.items():
        if counts:
            told = ", ".join(f"{value} {number}" for value, number in counts.items())
            say(f"            {words.by[dimension].lower()}: {told}")


def _time(times: Times) -> str:
    share = "no deadline" if times.in_time_share is None else f"{times.in_time_share:.1%} in time"
    return f"{times.count}, median {times.median_s:g} s, longest {times.longest_s:g} s, {share}"
