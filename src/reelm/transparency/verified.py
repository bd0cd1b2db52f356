"""Take in an exported log, and believe it only once all of it is verified."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from reelm.foundation.errors import Invalid
from reelm.proofs.exported import read_other
from reelm.proofs.leaf import read_leaf
from reelm.proofs.report import Report
from reelm.proofs.verify import Expected, verify_export
from reelm.transparency.ledger import Ledger
from reelm.transparency.report import FromLog


class NotSound(Invalid):
    """The log is not what was signed; the report of the verifier says where."""

    def __init__(self, report: Report) -> None:
        first = report.first
        told = f"{first.name}: {first.sentence}" if first else "it is empty"
        super().__init__(f"The log is not sound, so nothing is counted from it. {told}")
        self.report = report


def ledger_of_export(
    lines: Iterable[bytes],
    expected: Expected | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Ledger, FromLog]:
    """Return what an exported log comes to, and which log it is.

    Each line is verified and taken in at once: there is no second reading that could differ.

    Raises:
        NotSound: something is wrong with the log; names the first bad entry.
        Invalid: an entry holds a time that is none.
    """
    reading = _Reading()
    report = verify_export(reading.taking(lines), expected, on_progress)
    if not report.is_sound:
        raise NotSound(report)
    if reading.fault is not None:
        raise reading.fault
    ledger = reading.ledger
    return ledger, FromLog(report.origin, report.size, report.root, ledger.until)


@dataclass
class _Reading:
    ledger: Ledger = field(default_factory=Ledger)
    fault: Invalid | None = None  # told only once the log is known to be sound

    def taking(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Pass lines on to the verifier, and take in those that are entries."""
        is_header = True
        for line in lines:
            if not is_header and self.fault is None:
                self._take(line.removesuffix(b"\n"))
            is_header = False
            yield line

    def _take(self, line: bytes) -> None:
        try:
            leaf = None if read_other(line) is not None else read_leaf(line)
        except Invalid:
            return  # the verifier names it
        if leaf is not None:
            try:
                self.ledger.take(leaf)
            except Invalid as fault:
                self.fault = fault
