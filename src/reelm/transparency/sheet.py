"""A report as a table of lines, for spreadsheets."""

import csv
import io
from collections.abc import Iterator

from reelm.transparency.report import TransparencyReport

COLUMNS = ("period", "section", "measure", "dimension", "value", "number")
# At the beginning of a cell a spreadsheet takes these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(report: TransparencyReport) -> str:
    """Return a report as CSV (RFC 4180): one number a line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow([report.period, *map(_cell, row)])
    return text.getvalue()


def _rows(report: TransparencyReport) -> Iterator[tuple[str, str, str, str, str]]:
    for name, section in report.sections.items():
        for figure, number in section.figures.items():
            yield name, figure, "", "", str(number)
        for dimension, counts in section.by.items():
            for value, number in counts.items():
                yield name, "count", dimension, value, str(number)
        for measure, values in section.times.items():
            for value, times in values.items():
                for field in times.__struct_fields__:
                    number = getattr(times, field)
                    if number is not None:
                        yield name, f"{measure}.{field}", "kind", value, str(number)
    for kind, number in report.entries.items():
        yield "log", "entries", "kind", kind, str(number)


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
