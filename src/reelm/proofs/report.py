"""What a verifier has found: faults by their names, each with the first entry that it is about."""

from collections.abc import Mapping
from typing import Literal

import msgspec

FaultName = Literal[
    "not_an_export",
    "other_log",
    "edited",
    "missing",
    "inserted",
    "reordered",
    "duplicated",
    "not_an_entry",
    "unsigned",
    "truncated",
    "forked",
    "rolled_back",
    "re-signed",
    "forged_signature",
    "forged_key_change",
    "forged_witness",
    "not_witnessed",
    "forged_opening",
]


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong; `index` is where in the log, `entry_id` which entry if known."""

    name: FaultName
    sentence: str
    index: int | None = None
    entry_id: str | None = None


class Witnessed(msgspec.Struct, frozen=True):
    """The newest checkpoint that a witness has cosigned, and when."""

    size: int
    at: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of verifying an exported log."""

    origin: str
    size: int
    root: str
    key: str
    checkpoints: int
    kinds: Mapping[str, int]
    witnessed: Mapping[str, Witnessed]
    faults: list[Fault]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def first(self) -> Fault | None:
        """The fault that is about the earliest entry; those about none come last."""
        return min(self.faults, key=_place, default=None)


def _place(fault: Fault) -> tuple[bool, int]:
    return fault.index is None, fault.index or 0
