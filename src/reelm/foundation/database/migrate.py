"""Migrations: they run by themselves at start, one process at a time, resumable."""

from functools import cache
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from reelm.foundation.errors import Unavailable

_LOCK = 0x7265656C6D02  # "reelm" 2
OLDEST_POSTGRESQL = 160_000


def migrate(owner_conninfo: str) -> bool:
    """Bring the schema to this release; return whether anything changed.

    Each migration is its own transaction, so one that is cut off leaves the last whole step and
    the next start goes on from there. An advisory lock lets others wait meanwhile.

    Raises:
        Unavailable: the server is older than PostgreSQL 16, or the schema is newer than this
            release.
    """
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_conninfo))
    try:
        with engine.connect() as connection:
            _check_version(connection)
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            try:
                return _upgrade(connection)
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
    finally:
        engine.dispose()


@cache
def migrations() -> ScriptDirectory:
    """Return our migrations, read once."""
    return ScriptDirectory.from_config(_config())


def _upgrade(connection: Connection) -> bool:
    script = migrations()
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    head = script.get_current_head()
    if current == head:
        return False
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise Unavailable(
            f"The database has schema {current}, which this release does not know: "
            "start the newer release again, or restore a backup made by this one."
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _check_version(connection: Connection) -> None:
    version = connection.connection.driver_connection.info.server_version  # type: ignore[union-attr]
    if version < OLDEST_POSTGRESQL:
        raise Unavailable(f"PostgreSQL 16 or newer is needed; this one is {version // 10_000}.")
