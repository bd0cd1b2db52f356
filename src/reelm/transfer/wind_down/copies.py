"""Find the copies that the seller's software can see."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from reelm.foundation.classes import Place, declared
from reelm.foundation.errors import Invalid, Missing, Unavailable
from reelm.foundation.home import Home
from reelm.transfer.departed import FOLDER as DEPARTED
from reelm.transfer.wind_down.destroy import amount
from reelm.transfer.wind_down.journal import FOLDER, Journal
from reelm.transfer.wind_down.register import Register
from reelm.transfer.wind_down.site import Site

OPERATOR_KEY = "operator-ed25519.pem"
BACKUPS_MADE = "backups-made"
# What stays in the home: without these nothing could be signed, or answered at the old address.
KEPT = frozenset({"region.toml", "keys", FOLDER, BACKUPS_MADE, DEPARTED})
# Handled by name, or empty files that are locked.
APART = frozenset({"objects", "postgres", "postgres-socket"})
# What a backup's folder has in it beside its manifest (commands/backup/manifest.py).
_BACKUP = {"database.dump", "keys", "manifest.json"}


def find_copies(site: Site, journal: Journal, register: Register) -> None:
    """Put every copy that is there on the register; what is known already stays as it is.

    Raises:
        Invalid: a backup that was named is of another region, or is none.
        Missing: there is nothing where a backup was named.
    """
    _find_database(site, register)
    _find_objects(site, register)
    for path in folders(site.home):
        files, size = amount(path)
        if files:
            holds = f"{files} files, {size} bytes: {_declared_as(path.name)}"
            register.found(path.name, str(path), holds)
    for path in backup_places(site):
        _find_backup(site, journal, register, path)
    bundle = site.bundle
    if bundle.is_dir():
        files, size = amount(bundle)
        register.found(
            "bundle", str(bundle), f"{files} files, {size} bytes, encrypted to the buyer alone"
        )


def folders(home: Home) -> list[Path]:
    """Return what lies in the home beside database, objects, keys, and what stays."""
    return sorted(
        path
        for path in home.path.iterdir()
        if path.name not in KEPT | APART and not path.name.endswith(".lock")
    )


def backup_places(site: Site) -> list[Path]:
    """Return where backups may lie: noted when they were made, named now, or beside the home."""
    noted = list[Path]()
    if (site.home.path / BACKUPS_MADE).exists():
        text = (site.home.path / BACKUPS_MADE).read_text("utf-8")
        noted = [Path(line.partition("\t")[2]) for line in text.splitlines()]
    beside = [
        path
        for path in sorted(site.home.path.parent.iterdir())
        if path != site.home.path and _is_backup(path) and is_own(site.home, path)
    ]
    named = [path.resolve() for path in site.backups]
    return list(dict.fromkeys([*noted, *beside, *named]))


def is_own(home: Home, backup: Path) -> bool:
    """Whether a backup is of this region: it has the same operator's key."""
    try:
        return (backup / "keys" / OPERATOR_KEY).read_bytes() == (
            home.keys / OPERATOR_KEY
        ).read_bytes()
    except OSError:
        return False


def backup_name(path: Path) -> str:
    """Return the name of a backup on the register."""
    return f"backup {path.name[:100]} {hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"


def database_place(site: Site) -> str:
    """Return where the database is, without its password."""
    if site.is_embedded:
        return str(site.home.path / "postgres")
    known = conninfo_to_dict(site.settings.database.url)
    return f"database {known.get('dbname')} at {known.get('host', 'the default host')}"


def store_place(site: Site) -> str:
    """Return where the objects are."""
    return site.settings.storage.url or str(site.home.objects)


def _find_database(site: Site, register: Register) -> None:
    if register.was_destroyed("database"):
        return
    place = database_place(site)
    if not site.is_embedded:
        register.found("database", place, "all tables; its server's log and backups apart")
        return
    if {"database", "database-wal"} <= set(register.open()):
        return  # it may be half removed
    data = site.home.path / "postgres"
    if not (data / "PG_VERSION").exists():
        raise Unavailable(
            f"The database {data} is not there, and was not destroyed by a wind-down: put it back,"
            " so that what is destroyed can be tried before."
        )
    files, size = amount(data)
    register.found("database", place, f"all tables: {files} files, {size} bytes")
    files, size = amount(data / "pg_wal")
    register.found("database-wal", f"{place}/pg_wal", f"{files} files, {size} bytes of the log")


def _find_objects(site: Site, register: Register) -> None:
    kinds = site.store.kinds()
    for kind in sorted(kinds):
        objects = list(site.store.list(kind))
        if objects:
            size = sum(one.size_bytes for one in objects)
            known = declared(Place.OBJECTS).get(kind)
            holds = f"{len(objects)} objects, {size} bytes: {known.holds if known else kind}"
            place = f"{store_place(site)}/{kind}"
            register.found(f"objects/{kind}", place, holds[:1000])
    if not register.was_destroyed("object-store"):
        register.found("object-store", store_place(site), f"the objects of {len(kinds)} kinds")


def _find_backup(site: Site, journal: Journal, register: Register, path: Path) -> None:
    name = backup_name(path)
    if not path.exists():
        if register.was_begun(name):
            return
        is_known = any(line.facts["name"] == name for line in journal.of("found"))
        if not is_known and path in [one.resolve() for one in site.backups]:
            raise Missing(f"There is no backup at {path}.")
        if not is_known or name in register.open():
            # Written down when it was made, and moved or lost since.
            register.found(name, str(path), "a backup that was made there", is_lost=True)
        return
    if not is_own(site.home, path) and name not in register.open():
        raise Invalid(f"{path} is no backup of this region: its operator key is another, or none.")
    files, size = amount(path)
    register.found(name, str(path), f"{files} files, {size} bytes: rows, objects and the keys")


def _is_backup(path: Path) -> bool:
    return path.is_dir() and all((path / name).exists() for name in _BACKUP)


def _declared_as(name: str) -> str:
    known: dict[str, str] = {one.name: one.holds for one in declared(Place.FILES).values()}
    return known.get(name, "not declared")


def entries_under(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, without following links."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)
