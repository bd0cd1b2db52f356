"""The transparency report, computed from the entries of the audit log and nothing else."""

from reelm.transparency.ledger import Ledger
from reelm.transparency.period import Period, periods, read_period
from reelm.transparency.report import (
    FORM,
    FromLog,
    PublishedReport,
    Section,
    Times,
    TransparencyReport,
    publish_report,
    transparency_report,
)
from reelm.transparency.sheet import csv_text
from reelm.transparency.verified import NotSound, ledger_of_export
from reelm.transparency.words import SECTIONS

__all__ = [
    "FORM",
    "SECTIONS",
    "FromLog",
    "Ledger",
    "NotSound",
    "Period",
    "PublishedReport",
    "Section",
    "Times",
    "TransparencyReport",
    "csv_text",
    "ledger_of_export",
    "periods",
    "publish_report",
    "read_period",
    "transparency_report",
]
