"""What goes into the bundle ahead of the seal, while the region serves: objects, and closed days.

Both may be cut off and run again. What has changed since is written anew by the seal.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyrage

from reelm.foundation.clock import now
from reelm.foundation.database import Base
from reelm.foundation.storage import ObjectStore
from reelm.transfer.bundle.objects import Copies, named_keys
from reelm.transfer.bundle.rows import pinned, slices
from reelm.transfer.bundle.seal import Sale, SellerKeys, begun
from reelm.transfer.bundle.seal_table import copy_slice
from reelm.transfer.bundle.tables import moved_tables

Say = Callable[[str], None]


def copy_objects(owner: str, store: ObjectStore, folder: Path, recipient: str) -> int:
    """Copy the objects that rows name now into the bundle; return how many were not there yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    copies = Copies(store, folder, pyrage.x25519.Recipient.from_str(recipient))
    with pinned(owner, is_snapshot=True) as connection:
        for _ in copies.add_all(named_keys(connection, Base.metadata)):
            continue
    return copies.copied


def copy_closed_days(
    owner: str,
    folder: Path,
    notes: Path,
    sale: Sale,
    keys: SellerKeys,
    *,
    today: date | None = None,
    say: Say = lambda _: None,
) -> int:
    """Write the days that are over of each table that is sliced by them; return how many.

    The seal reads them again, and writes only those of which rows came or went since.

    Args:
        owner: how the owner's role connects.
        folder: where the bundle is made; it is not whole until it is sealed again.
        notes: a private folder for what the seal needs to know of them.
        sale: what is sold, to whom.
        keys: the seller's.
        today: the first day (UTC) that is not over; it follows from the clock.
        say: is told of progress.
    """
    first = (today or now().date()).isoformat()
    written = 0
    with begun(owner, folder, notes, sale, keys) as sealing:
        for table in moved_tables(Base.metadata):
            days = slices(sealing.connection, table) if table.sliced_by else []
            for day in days:
                if day < first:
                    say(f"Copying {table.name} of {day}.")
                    written += copy_slice(sealing, table, day)
    return written
