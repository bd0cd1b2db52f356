"""Reports of what breaks a rule or the law, and their handling by staff."""

from reelm.moderation.reading import PAGE, OpenedReport, Outcome, close_report, read_reports
from reelm.moderation.report import NewReport, Reason, TargetKind, report

__all__ = [
    "PAGE",
    "NewReport",
    "OpenedReport",
    "Outcome",
    "Reason",
    "TargetKind",
    "close_report",
    "read_reports",
    "report",
]
