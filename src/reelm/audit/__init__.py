"""The region's append-only log of what was done, by whom and when."""

from reelm.audit.kinds import KINDS, Purpose, Undeclared
from reelm.audit.record import record

__all__ = ["KINDS", "Purpose", "Undeclared", "record"]
