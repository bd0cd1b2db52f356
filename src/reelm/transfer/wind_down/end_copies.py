"""Destroy the copies on the register, each so that it can be cut off and done again."""

from itertools import islice

from reelm.foundation.errors import Unavailable
from reelm.transfer.wind_down.copies import KEPT
from reelm.transfer.wind_down.database import drop_database, remove_cluster
from reelm.transfer.wind_down.destroy import OVERWRITTEN, REMOVED, destroy_secret, remove
from reelm.transfer.wind_down.register import Register
from reelm.transfer.wind_down.site import Site

BATCH = 1000
OBJECTS = "objects/"


def end_copies(site: Site, register: Register) -> None:
    """Destroy every copy that is there and not held: the database first, the bundle last."""
    end_database(site, register)
    end_objects(site, register)
    still = register.open()
    backups = [name for name in still if name.startswith("backup ")]
    last = [name for name in still if name == "bundle"]
    for name in [one for one in still if one not in backups + last]:
        if site.home.path == register.place(name).parent and name not in KEPT:
            site.say(f"Removing {name}.")
            remove(register.place(name))
            register.destroyed(name, REMOVED)
    for name in backups:
        _end_backup(site, register, name)
    for name in last:
        site.say("Removing the bundle from the exchange folder.")
        remove(register.place(name))
        register.destroyed(name, f"{REMOVED}; it was encrypted to the buyer")


def end_database(site: Site, register: Register) -> None:
    """Drop the database, with its write-ahead log where the log is here.

    Raises:
        Unavailable: it is in use, or may not be dropped; says what to do.
    """
    if "database" not in register.open() and "database-wal" not in register.open():
        return
    site.say("Dropping the database.")
    if site.is_embedded:
        remove_cluster(site)
        for name in ("database", "database-wal"):
            if name in register.open():
                register.destroyed(name, f"the whole cluster: {REMOVED}")
        return
    drop_database(site.settings.database.url)
    register.destroyed("database", "dropped by its owner (DROP DATABASE), with the serving roles")


def end_objects(site: Site, register: Register) -> None:
    """Delete every object that is not held, one by one, and list what is left: nothing.

    Raises:
        Unavailable: the store lists an object that was deleted.
    """
    for name in [one for one in register.open() if one.startswith(OBJECTS)]:
        kind = name.removeprefix(OBJECTS)
        site.say(f"Deleting objects: {kind}.")
        count = _delete_kind(site, kind)
        how = REMOVED if site.store.folder else "by the store's own deletion"
        register.destroyed(
            name, f"{count} objects deleted one by one, and then none was listed; {how}"
        )
    if "object-store" in register.open():
        kinds = {kind for kind in site.store.kinds() if register.held(OBJECTS + kind) is None}
        for kind in kinds:
            _delete_kind(site, kind)
        _remove_rest(site, register)
        register.destroyed("object-store", "emptied of every object that is not held by law")


def _delete_kind(site: Site, kind: str) -> int:
    count, before = 0, list[str]()
    while batch := [one.key for one in islice(site.store.list(kind), BATCH)]:
        if batch == before:
            raise Unavailable(f"The store still lists objects of {kind} that were deleted.")
        for key in batch:
            site.store.delete(key)
        count, before = count + len(batch), batch
        site.say(f"Deleted {count} objects: {kind}.")
    return count


def _remove_rest(site: Site, register: Register) -> None:
    """Remove empty folders, and files that are no objects, from a local store."""
    folder = site.store.folder
    if folder is None or not folder.exists():
        return
    for path in sorted(folder.iterdir()):
        if register.held(OBJECTS + path.name) is None:
            remove(path)


def _end_backup(site: Site, register: Register, name: str) -> None:
    path = register.place(name)
    if path.exists():
        site.say(f"Destroying the backup at {path}.")
        register.begun(name)
    elif not register.was_begun(name):
        return  # it is not where it was made: a person has to declare what became of it
    for key in sorted((path / "keys").glob("*")):
        destroy_secret(key)
    remove(path)
    register.destroyed(name, f"its keys {OVERWRITTEN}; the rest {REMOVED}")
