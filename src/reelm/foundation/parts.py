"""The opened parts of a region that verbs and jobs are given."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.orm import Session

from reelm.foundation.config import Settings
from reelm.foundation.database.connect import Database
from reelm.foundation.home import Home
from reelm.foundation.storage import ObjectStore


@dataclass(frozen=True)
class Parts:
    """Home, settings, database and object store of one open region."""

    home: Home
    settings: Settings
    database: Database
    store: ObjectStore

    def transaction(self) -> AbstractContextManager[Session]:
        """Yield a session whose work is committed at the end."""
        return self.database.transaction()

    @cached_property
    def region_key(self) -> bytes:
        """The key that wraps the accounts' keys, 32 bytes."""
        return bytes.fromhex(self.home.secret("region-key"))
