"""Make a region from a backup, and check that all of it is there."""

import shutil
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import tomli_w
from psycopg import Connection

from reelm import app
from reelm.commands.backup import dump
from reelm.commands.backup.manifest import (
    DUMP,
    FORMAT,
    SETTINGS,
    Manifest,
    check_files,
    check_room,
    copy_file,
    new_file,
    new_folder,
    read_manifest,
)
from reelm.commands.backup.progress import bar
from reelm.commands.contents import (
    count_rows,
    named_objects,
    server_major,
    tables,
)
from reelm.foundation.config import Settings, load
from reelm.foundation.database import embedded
from reelm.foundation.database.schema import known_revisions, revision
from reelm.foundation.errors import Conflict, Invalid, ReelmError, Unavailable
from reelm.foundation.home import Home
from reelm.foundation.home_files import FOLDERS
from reelm.foundation.storage import ObjectStore, open_store

Say = Callable[[str], None]
# Where the data lies: what the environment says of it at the restore stays true afterwards.
PLACES = (
    ("database", "url"),
    ("database", "embedded_version"),
    ("storage", "url"),
    ("storage", "s3_endpoint"),
    ("storage", "s3_region"),
)


def restore(source: Path, path: Path, say: Say) -> None:
    """Make the region home `path` from the backup in `source`.

    Raises:
        Invalid: the backup is damaged; names the first file that is.
        Conflict: `path` or the database is not empty, or the backup is of a newer release.
        Unavailable: what was restored is not what was backed up.
    """
    source, home = source.resolve(), Home(path.resolve())
    manifest = read_manifest(source)
    _check_release(manifest)
    say(f"Checking the {len(manifest.files)} files of the backup made {manifest.made_at:%Y-%m-%d}.")
    with bar("Checking files", len(manifest.files)) as step:
        for _ in check_files(source, manifest):
            step()
    settings = load(source)
    new_folder(home.path, "the region")
    try:
        needed = 2 * manifest.files[DUMP].size_bytes + manifest.object_bytes
        check_room(shutil.disk_usage(home.path).free, needed, home.path)
        _fill(source, home, settings, manifest, say)
    except (OSError, psycopg.Error) as error:
        _remove(home)
        raise Unavailable(f"The region could not be restored: {error}.") from error
    except BaseException:
        _remove(home)
        raise
    say(f"The region is restored: {sum(manifest.rows.values())} rows, {manifest.objects} objects.")
    if manifest.missing:
        say(f"{len(manifest.missing)} objects were missing when the backup was made.")
    say("Look at it with `reelm doctor`. Never serve the original and the restored one at once.")


def _check_release(manifest: Manifest) -> None:
    if manifest.format > FORMAT or manifest.schema not in known_revisions():
        raise Conflict(
            f"The backup was made by release {manifest.release} with schema {manifest.schema}, "
            "which this release does not know: restore it with that release or a newer one."
        )


def _fill(source: Path, home: Home, settings: Settings, manifest: Manifest, say: Say) -> None:
    for folder in FOLDERS:
        (home.path / folder).mkdir(mode=0o700)
    for name in manifest.files:
        if name.startswith("keys/"):
            copy_file(source / name, home.path / name)
    store = open_store(settings.storage, home)
    with app.owner_connection(home, settings, say) as owner:
        say("Loading the database.")
        with psycopg.connect(owner, autocommit=True) as connection:
            _load_database(connection, owner, source, manifest)
            _put_objects(source, store, manifest)
            _check_objects(connection, store, manifest)
        app.prepare(home, settings, owner)
    # Last, as `reelm init` does: a home without region.toml is one whose making was cut off.
    with new_file(home.path / SETTINGS) as file:
        file.write(_settings_file(source / SETTINGS, settings))


def _load_database(
    connection: Connection[Any], owner: str, source: Path, manifest: Manifest
) -> None:
    if tables(connection):
        raise Conflict(
            "The database that the settings name is not empty. Make a new one, and name it by "
            "REELM_DATABASE_URL; an empty REELM_DATABASE_URL stands for the embedded one."
        )
    major = server_major(connection)
    if major < manifest.postgresql:
        raise Conflict(
            f"The backup is of PostgreSQL {manifest.postgresql}, and this is PostgreSQL {major}: "
            f"restore it to version {manifest.postgresql} or newer."
        )
    dump.load(owner, major, source / DUMP)
    counted = count_rows(connection, without=tuple(manifest.rows_left_out))
    if revision(connection) != manifest.schema or counted.keys() != manifest.rows.keys():
        raise Unavailable("The restored database has other tables than the one backed up.")
    for table, rows in manifest.rows.items():
        if counted[table] != rows:
            raise Unavailable(f"Table {table} has {counted[table]} rows instead of {rows}.")


def _put_objects(source: Path, store: ObjectStore, manifest: Manifest) -> None:
    names = [name for name in manifest.files if name.startswith("objects/")]
    with bar("Storing objects", len(names)) as step:
        for name in names:
            key = name.removeprefix("objects/")
            # The key holds the digest of the bytes, so equal keys prove equal bytes.
            if store.put_file(key.partition("/")[0], source / name).key != key:
                raise Invalid(f"The backup is damaged: {source / name} has changed meanwhile.")
            step()


def _check_objects(connection: Connection[Any], store: ObjectStore, manifest: Manifest) -> None:
    known = {name.removeprefix("objects/"): fact for name, fact in manifest.files.items()}
    for key in named_objects(connection).keys() - set(manifest.missing):
        if key not in known:
            raise Invalid(f"The backup lacks the object {key}, which a row names.")
        if store.size_bytes(key) != known[key].size_bytes:
            raise Unavailable(f"The object {key} was not stored in its size.")


def _settings_file(source: Path, settings: Settings) -> bytes:
    """Return region.toml with the places where the data lies now."""
    text = source.read_text("utf-8")
    document: dict[str, Any] = tomllib.loads(text)
    is_changed = False
    for section, key in PLACES:
        value = getattr(getattr(settings, section), key)
        if getattr(getattr(load(source.parent, {}), section), key) != value:
            document.setdefault(section, {})[key] = value
            is_changed = True
    return (tomli_w.dumps(document) if is_changed else text).encode("utf-8")


def _remove(home: Home) -> None:
    """Remove what was made, the embedded database's socket folder included."""
    with suppress(ReelmError):
        embedded.forget(home.path)
    shutil.rmtree(home.path, ignore_errors=True)
