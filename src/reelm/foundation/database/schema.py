"""Which schema a database has, and which ones this release knows, without loading migrations."""

from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

VERSIONS = Path(__file__).parent / "migrations" / "versions"


@cache
def known_revisions() -> tuple[str, ...]:
    """Return the revisions that this release can start from, the newest last.

    The file of each migration begins with its revision.
    """
    return tuple(sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py")))


def newest_revision() -> str:
    """Return the revision that this release makes."""
    return known_revisions()[-1]


def revision(connection: Connection[Any]) -> str | None:
    """Return the schema's revision, or None where no table is made yet."""
    found = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def ensure_schema(owner_conninfo: str) -> None:
    """Bring the schema to this release, where it is not there yet.

    Raises:
        Unavailable: as `migrate` says.
    """
    with psycopg.connect(owner_conninfo) as connection:
        if revision(connection) == newest_revision():
            return
    # Loading Alembic takes a fifth of the time that a command has to begin.
    from reelm.foundation.database.migrate import migrate  # noqa: PLC0415

    migrate(owner_conninfo)
