"""`reelm doctor`: check every part of a region and say how to mend it."""

from reelm.commands.doctor.examine import run

__all__ = ["run"]
