"""The object store, and whether each object that a row names is in it."""

from datetime import timedelta
from typing import Any

from psycopg import Connection

from reelm.commands.contents import named_objects
from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.foundation.clock import now
from reelm.foundation.errors import Missing
from reelm.foundation.storage import ObjectStore, StoredObject

SHOWN = 3
# The sweeper runs each hour and leaves what is younger than an hour (videos/sweep.py).
ORPHANED_AFTER = timedelta(hours=3)


def check_store(store: ObjectStore) -> Check:
    """It takes an object, gives it back, and removes it."""
    store.check()
    where = f"The folder {store.folder}" if store.folder else "The S3 store"
    return ok("object store", f"{where} takes, returns and removes objects.")


def check_objects(connection: Connection[Any], store: ObjectStore) -> Check:
    """Each object that a row names is there in its size; counts those that no row names."""
    # The store first: what is stored meanwhile is looked at again below.
    stored = {one.key: one for one in store.list("")}
    named = named_objects(connection)
    faults = _faults(connection, store, stored, named)
    if faults:
        more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        return fail(
            "objects",
            f"{len(faults)} of {len(named)} objects are wrong: {'; '.join(faults[:SHOWN])}{more}.",
            "Copy them back from a backup (its objects/ has the same names), or delete the videos.",
        )
    orphans = [one for key, one in stored.items() if key not in named and _is_old(one)]
    if orphans:
        size = sum(one.size_bytes for one in orphans)
        return warn(
            "objects",
            f"All {len(named)} are there; {len(orphans)} more ({size} bytes) are named by no row.",
            "They are removed within the hour while the region is served.",
        )
    return ok("objects", f"All {len(named)} that rows name are there in their size.")


def _faults(
    connection: Connection[Any],
    store: ObjectStore,
    stored: dict[str, StoredObject],
    named: dict[str, int | None],
) -> list[str]:
    wrong = [key for key, size in named.items() if not _is_right(stored.get(key), size)]
    if not wrong:
        return []
    # Looked at again: it may have come, or been removed together with its row.
    still_named = named_objects(connection)
    faults = []
    for key in wrong:
        if key in still_named:
            faults += _fault(store, key, still_named[key])
    return faults


def _fault(store: ObjectStore, key: str, size: int | None) -> list[str]:
    try:
        found = store.size_bytes(key)
    except Missing:
        return [f"{key} is missing"]
    if size is not None and found != size:
        return [f"{key} has {found} bytes instead of {size}"]
    return []


def _is_right(stored: StoredObject | None, size: int | None) -> bool:
    return stored is not None and size in (None, stored.size_bytes)


def _is_old(stored: StoredObject) -> bool:
    return stored.modified_at is not None and stored.modified_at < now() - ORPHANED_AFTER
