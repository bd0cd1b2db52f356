"""What the operator does with people's data, and what the log may not tell yet."""

from collections.abc import Mapping

import msgspec

from reelm.transparency.book import Book, Taker
from reelm.transparency.tally import NOT_TOLD, Entry, Tally

STAFF, ACCOUNTS, RETENTION = "staff_reads", "accounts", "retention"
EGRESS, CONFIDENTIAL = "egress", "confidential"
UNKNOWN = "unknown"


class _Opened(msgspec.Struct):
    kind: str


def _read(_: Book, tally: Tally, entry: Entry) -> None:
    tally.count(
        STAFF,
        "reads",
        purpose=entry.text("purpose"),
        role=entry.text("role"),
        what=entry.text("what"),
        country=entry.text("country", UNKNOWN),
    )
    tally.count(STAFF, "subjects", len(entry.texts("subject_ids")))


def _figure(section: str, figure: str) -> Taker:
    def count(_: Book, tally: Tally, __: Entry) -> None:
        tally.count(section, figure)

    return count


def _retained(_: Book, tally: Tally, entry: Entry) -> None:
    tally.count(RETENTION, "runs")
    tally.count(RETENTION, "rows", entry.number("rows"), table=entry.text("table"))


def _refused(_: Book, tally: Tally, entry: Entry) -> None:
    process, layer, attempt = entry.text("process"), entry.text("layer"), entry.text("attempt")
    tally.count(
        EGRESS, "refused", entry.number("count"), process=process, layer=layer, attempt=attempt
    )


def _opened(_: Book, tally: Tally, entry: Entry) -> None:
    try:
        kind = msgspec.json.decode(entry.text("opened"), type=_Opened).kind
    except (msgspec.MsgspecError, ValueError):
        kind = NOT_TOLD
    tally.count(CONFIDENTIAL, "opened", kind=kind)


TAKERS: Mapping[str, Taker] = {
    "staff.read": _read,
    "accounts.erasure_begun": _figure(ACCOUNTS, "erasures_begun"),
    "accounts.erasure_finished": _figure(ACCOUNTS, "erasures_finished"),
    "accounts.reset": _figure(ACCOUNTS, "resets"),
    "regions.retention_ran": _retained,
    "feed.log_dropped": _figure(RETENTION, "signal_runs"),
    "egress.refused": _refused,
    "confidential": _figure(CONFIDENTIAL, "recorded"),
    "audit.opened": _opened,
}
