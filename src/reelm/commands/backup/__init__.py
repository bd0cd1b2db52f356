"""`reelm backup` and `reelm restore`."""

from reelm.commands.backup.make import backup
from reelm.commands.backup.restore import restore

__all__ = ["backup", "restore"]
