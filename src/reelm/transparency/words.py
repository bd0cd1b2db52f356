"""The sections of a report, and what each of its figures, dimensions and times means."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """A section: its title, its figures, what it is counted by, what takes time in it."""

    title: str
    figures: Mapping[str, str]
    by: Mapping[str, str] = {}
    times: Mapping[str, str] = {}


SECTIONS: Mapping[str, Words] = {
    "orders": Words(
        "Legal orders",
        {
            "begun": "came into force",
            "subjects": "videos and accounts that they name",
            "complied": "carried out",
            "ended": "ended",
            "entered": "entered from paper",
            "refused": "entered from paper and refused by the second check",
            "in_force_at_end": "in force at the end",
            "open_at_end": "waiting to be carried out at the end",
            "overdue_at_end": "of these past their deadline",
        },
        {
            "kind": "Kind",
            "authority": "Authority",
            "basis": "Legal basis",
            "category": "Category",
            "channel": "How they came",
            "country": "Country",
            "standing": "Standing",
            "outcome": "Outcome",
        },
        {"done": "from receipt until carried out"},
    ),
    "decisions": Words(
        "Decisions of the operator",
        {
            "made": "made",
            "reversed": "reversed",
            "in_force_at_end": "in force at the end",
        },
        {
            "kind": "Kind",
            "ground": "Ground",
            "category": "Category",
            "source": "What led to them",
            "country": "Country",
        },
        {"reversed": "from decision to reversal"},
    ),
    "grievances": Words(
        "Reports and objections",
        {
            "received": "received",
            "acknowledged": "acknowledged",
            "resolved": "resolved",
            "open_at_end": "open at the end",
            "overdue_at_end": "of these past their deadline",
        },
        {"kind": "Kind", "reason": "Reason", "about": "About", "outcome": "Outcome"},
        {
            "acknowledged": "from receipt to acknowledgement",
            "done": "from receipt to resolution",
        },
    ),
    "confidential": Words(
        "Confidential",
        {"recorded": "entries that may not be told yet", "opened": "of any month, opened"},
        {"kind": "Opened, by kind of entry"},
    ),
    "staff_reads": Words(
        "Staff reading data of people",
        {"reads": "reads", "subjects": "people and things read"},
        {"purpose": "Purpose", "role": "Role", "what": "What", "country": "From which country"},
    ),
    "accounts": Words(
        "Accounts",
        {
            "erasures_begun": "erasures begun",
            "erasures_finished": "erasures finished",
            "resets": "new recovery codes given by staff",
        },
    ),
    "retention": Words(
        "Deleted because its time was over",
        {
            "runs": "runs that deleted something",
            "rows": "rows deleted",
            "signal_runs": "runs that dropped days of the log of signals",
        },
        {"table": "Table"},
    ),
    "egress": Words(
        "Outbound traffic that was refused",
        {"refused": "attempts refused"},
        {"process": "Process", "layer": "Layer", "attempt": "Attempt"},
    ),
}
# Figures that are counted at the end of the period, and not in its months.
AT_END = frozenset({"in_force_at_end", "open_at_end", "overdue_at_end"})
