"""End all access to the seller's database, and drop it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reelm.foundation.database import Database
from reelm.foundation.database.embedded import EmbeddedPostgres
from reelm.foundation.database.embedded_cluster import data_folder
from reelm.foundation.database.embedded_process import claim, opened
from reelm.foundation.database.embedded_socket import forget_socket_folder
from reelm.foundation.database.lease import leased_ids
from reelm.foundation.errors import Conflict, Unavailable
from reelm.foundation.parts import Parts
from reelm.transfer.wind_down.destroy import remove
from reelm.transfer.wind_down.site import Site

# Who is signed in, or could sign in: people, and staff by their role.
CREDENTIALS = (
    "session", "second_factor", "staff_purpose", "recovery_code", "credential", "data_room",
    "process_lease",
)  # fmt: skip
MAINTENANCE = ("postgres", "template1")


@contextmanager
def owner_parts(site: Site, owner: str) -> Iterator[Parts]:
    """Yield the region as the database's owner sees it, to whom the end of a tenure is no bar."""
    database = Database(owner, pool_size=2)
    try:
        with leased_ids(database, site.settings.region.number):
            yield Parts(site.home, site.settings, database, site.store)
    finally:
        database.close()


def check_ended(owner: str, epoch: int) -> None:
    """Refuse to wind down a side whose tenure goes on.

    Raises:
        Conflict: it has not ended in this database.
    """
    with psycopg.connect(owner) as connection:
        query = "SELECT ended_at FROM tenure WHERE epoch = %s"
        row = connection.execute(query, [epoch]).fetchone()
    if row is None or row[0] is None:
        raise Conflict(
            f"The tenure {epoch} has not ended in this database: run `reelm transfer cutover` here"
            " first. Nothing was destroyed."
        )


def end_access(owner: str) -> str:
    """Let nobody in any more: no session, credential, staff member or serving role.

    Returns: what was done, in words.
    """
    with psycopg.connect(owner) as connection:
        roles = serving_roles(connection)
        for role in roles:
            name = sql.Identifier(role)
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(name))
        tables = sql.SQL(", ").join(sql.Identifier("public", name) for name in CREDENTIALS)
        connection.execute(sql.SQL("TRUNCATE {}").format(tables))
        # The fence of the freeze (fence.py) lets no account change, not even for the owner.
        connection.execute("ALTER TABLE account DISABLE TRIGGER USER")
        staff = connection.execute("UPDATE account SET role = NULL WHERE role IS NOT NULL")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename::text = ANY(%s) AND pid <> pg_backend_pid()",
            [roles],
        )
    return (
        f"emptied {', '.join(CREDENTIALS)}; {staff.rowcount} staff without a role; no login for"
        f" {', '.join(roles) or 'any serving role'}"
    )


def serving_roles(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the roles that served this database, in any epoch."""
    pattern = f"^{re.escape(connection.info.dbname)}_app_[0-9]+$"
    query = "SELECT rolname FROM pg_roles WHERE rolname ~ %s ORDER BY rolname"
    return [str(row[0]) for row in connection.execute(query, [pattern])]


def remove_cluster(site: Site) -> None:
    """Remove the embedded database with its write-ahead log.

    Raises:
        Unavailable: another process runs it.
    """
    postgres = EmbeddedPostgres(site.home.path)
    data = data_folder(site.home.path)
    try:
        if not postgres.try_own():
            raise Unavailable(
                "Another process runs the region's database: stop `reelm serve` and every other"
                " command, and run this again; it goes on where it was."
            )
        if data.exists():
            with opened(data) as folder:
                claim(folder, None)  # ends what a killed owner left running
            uid = data.stat().st_uid
            remove(data)
            forget_socket_folder(postgres.home, uid)
    finally:
        postgres.leave()


def drop_database(url: str) -> None:
    """Drop the region's database on the operator's own server, and the roles that served it.

    Raises:
        Unavailable: the owner may not, or the server does not answer; says what to run.
    """
    name = str(conninfo_to_dict(url)["dbname"])
    reasons = []
    for other in MAINTENANCE:
        try:
            with psycopg.connect(make_conninfo(url, dbname=other), autocommit=True) as connection:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))
                _drop_roles(connection, name)
                return
        except psycopg.Error as error:
            reasons.append(str(error).strip().splitlines()[-1])
    raise Unavailable(
        f"The database {name} could not be dropped ({'; '.join(reasons)}): let an administrator run"
        f' DROP DATABASE "{name}" WITH (FORCE); and run this again.'
    )


def _drop_roles(connection: psycopg.Connection[Any], database: str) -> None:
    pattern = f"^{re.escape(database)}_app_[0-9]+$"
    for (role,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ %s", [pattern]):
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(str(role))))


def answers(site: Site) -> bool:
    """Whether the region's database is still there; nothing is started for it.

    Raises:
        Unavailable: its server does not answer, so that nothing can be said.
    """
    if site.is_embedded:
        return data_folder(site.home.path).exists()
    try:
        psycopg.connect(site.settings.database.url, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        if "does not exist" in str(error):
            return False
        raise Unavailable(f"The database's server does not answer: {error}") from None
    return True
