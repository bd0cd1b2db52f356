"""Make a backup, while the region is being served or not.

The rows and the objects have to fit together, while people go on posting and deleting. Objects are
immutable, and one is removed only minutes after its last row. So: copy the objects that rows name
now, which may take long; then dump the database and copy the few that came meanwhile. Should one
of the dump have been removed by then, its row is gone too, and a new dump is made without it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from reelm import __version__, app
from reelm.commands.backup.dump import ROWS_LEFT_OUT, dump
from reelm.commands.backup.manifest import (
    DUMP,
    SETTINGS,
    Fact,
    Manifest,
    check_room,
    copy_file,
    fact_of,
    new_file,
    new_folder,
    write_manifest,
)
from reelm.commands.backup.objects import ObjectCopies
from reelm.commands.contents import count_rows, named_objects, server_major
from reelm.foundation.clock import now, utc_text
from reelm.foundation.config import Settings, load
from reelm.foundation.database.schema import revision
from reelm.foundation.errors import Conflict, Invalid, Unavailable
from reelm.foundation.home import Home
from reelm.foundation.storage import open_store

Say = Callable[[str], None]
# Each round is shorter than the one before, and removal waits for minutes.
ROUNDS = 5


@dataclass(frozen=True)
class _Dumped:
    """What the database held in the snapshot that was dumped."""

    schema: str
    postgresql: int
    rows: dict[str, int]
    named: frozenset[str]


def backup(region: Path, target: Path, say: Say) -> None:
    """Copy database, objects, settings and keys of a region to the new folder `target`.

    Raises:
        Conflict: `target` is not new.
        Unavailable: it could not be made; or it is made, and an object that a row names is missing
            in the region.
    """
    home, settings = Home(region.resolve()), load(region.resolve())
    target = target.resolve()
    if target.is_relative_to(home.path):
        raise Invalid("A backup cannot lie inside the region itself: choose another folder.")
    new_folder(target, "the backup")
    try:
        with app.owner_connection(home, settings, say) as owner:
            manifest = _fill(home, settings, owner, target, say)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise Unavailable(f"The backup could not be written: {error}.") from error
    except BaseException:
        # Half a backup is worse than none, and it would hold the keys.
        shutil.rmtree(target, ignore_errors=True)
        raise
    _note(home, target)
    rows = sum(manifest.rows.values())
    say(f"{target} holds {rows} rows, {manifest.objects} objects and the keys: keep it safe.")
    if manifest.missing:
        raise Unavailable(
            f"The backup is made, but {len(manifest.missing)} objects that rows name are missing "
            f"or damaged in the region, such as {manifest.missing[0]}: see `reelm doctor`."
        )


def _note(home: Home, target: Path) -> None:
    """Write down in the home where the backup lies: a seller has to account for each."""
    with (home.path / "backups-made").open("a", encoding="utf-8") as file:
        file.write(f"{utc_text(now())}\t{target}\n")
        file.flush()
        os.fsync(file.fileno())


def _fill(home: Home, settings: Settings, owner: str, target: Path, say: Say) -> Manifest:
    with psycopg.connect(owner, autocommit=True) as connection:
        if revision(connection) is None:
            app.prepare(home, settings, owner)
        named = named_objects(connection, without=ROWS_LEFT_OUT)
    _check_room(target, named)
    say(f"Copying {len(named)} objects. Uploads that are under way are not part of a backup.")
    copies = ObjectCopies(open_store(settings.storage, home), target / "objects")
    (target / "objects").mkdir(mode=0o700)
    copies.add(named)
    say("Copying the database and the keys.")
    dumped, keys, missing = _settle(home, owner, target, copies)
    copies.keep_only(dumped.named)
    files = {DUMP: fact_of(target / DUMP), **keys}
    files[SETTINGS] = copy_file(home.path / SETTINGS, target / SETTINGS)
    files |= {f"objects/{key}": copies.facts[key] for key in sorted(copies.facts)}
    os.sync()  # the manifest must not be on the disk before what it speaks of
    manifest = Manifest(
        format=1,
        release=__version__,
        schema=dumped.schema,
        postgresql=dumped.postgresql,
        region=settings.region.name,
        region_number=settings.region.number,
        made_at=now(),
        rows=dumped.rows,
        rows_left_out=list(ROWS_LEFT_OUT),
        objects=len(copies.facts),
        object_bytes=sum(fact.size_bytes for fact in copies.facts.values()),
        missing=sorted(missing | copies.damaged),
        files=files,
    )
    write_manifest(target, manifest)
    return manifest


def _settle(
    home: Home, owner: str, target: Path, copies: ObjectCopies
) -> tuple[_Dumped, dict[str, Fact], set[str]]:
    """Dump until dump, keys and objects fit together; return also what the region has lost."""
    for _ in range(ROUNDS):
        keys = _copy_keys(home, target)
        dumped = _dump(owner, target)
        missing = copies.add(dumped.named)
        with psycopg.connect(owner, autocommit=True) as connection:
            still_named = (
                named_objects(connection, without=ROWS_LEFT_OUT).keys() if missing else set()
            )
        if missing <= still_named and keys == _facts_of_keys(home):
            return dumped, keys, missing
    raise Conflict("The region changed too fast for a backup: try again at a quieter time.")


def _dump(owner: str, target: Path) -> _Dumped:
    (target / DUMP).unlink(missing_ok=True)
    new_file(target / DUMP).close()  # pg_dump keeps its mode
    with _snapshot(owner) as (connection, name):
        dumped = _Dumped(
            schema=revision(connection) or "",
            postgresql=server_major(connection),
            rows=count_rows(connection, without=ROWS_LEFT_OUT),
            named=frozenset(named_objects(connection, without=ROWS_LEFT_OUT)),
        )
        dump(owner, dumped.postgresql, name, target / DUMP)
    return dumped


@contextmanager
def _snapshot(owner: str) -> Iterator[tuple[Connection[Any], str]]:
    """Yield a connection that sees one moment of the database, and that moment's name."""
    with psycopg.connect(owner) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        if row is None:
            raise AssertionError("a function gives a row")
        yield connection, str(row[0])


def _copy_keys(home: Home, target: Path) -> dict[str, Fact]:
    shutil.rmtree(target / "keys", ignore_errors=True)
    (target / "keys").mkdir(mode=0o700)
    return {
        f"keys/{path.name}": copy_file(path, target / "keys" / path.name)
        for path in _key_files(home)
    }


def _facts_of_keys(home: Home) -> dict[str, Fact]:
    return {f"keys/{path.name}": fact_of(path) for path in _key_files(home)}


def _key_files(home: Home) -> list[Path]:
    # A name with a dot in front is one that is just being written.
    return sorted(p for p in home.keys.iterdir() if p.is_file() and not p.name.startswith("."))


def _check_room(target: Path, named: dict[str, int | None]) -> None:
    needed = sum(size or 0 for size in named.values())
    check_room(shutil.disk_usage(target).free, needed, target)
