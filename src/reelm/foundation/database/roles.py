"""Database roles: the owner migrates, `<database>_app_<epoch>` serves (design.md rule 4.6).

Roles belong to a whole PostgreSQL cluster, so the name begins with the database's: two regions
on one cluster do not share a role.
"""

from collections.abc import Callable

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import MetaData

from reelm.foundation.errors import Unavailable

# Who changes what roles may do holds this one, so that leave which was taken is not given back.
LOCK = 0x7265656C6D04  # "reelm" 4
NOT_ALLOWED = (
    "The database user may not create the serving role {role}. Let an administrator run: "
    "ALTER ROLE {owner} CREATEROLE;"
)


def app_role(database: str, epoch: int) -> str:
    """Return the name of the role that serves in this epoch."""
    return f"{database}_app_{epoch}"


def app_conninfo(owner_conninfo: str, epoch: int, password: str) -> str:
    """Return how the serving role connects to the database that the owner connects to."""
    database = str(conninfo_to_dict(owner_conninfo)["dbname"])
    return make_conninfo(owner_conninfo, user=app_role(database, epoch), password=password)


def ensure_owner(superuser_conninfo: str, owner: str, password: str, database: str) -> None:
    """In the embedded database, make the owner's role and its database where they lack."""
    with psycopg.connect(superuser_conninfo, autocommit=True) as connection:
        _alone(connection)
        _ensure_login(connection, owner, password, "CREATEROLE")
        found = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
        names = sql.Identifier(database), sql.Identifier(owner)
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        elif found[0] != owner:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*names))


def ensure_app(
    owner_conninfo: str,
    epoch: int,
    password: str,
    metadata: MetaData,
    is_due: Callable[[], bool] = lambda: True,
) -> None:
    """Make the serving role and grant it rows, not definitions.

    Tables declared append-only get INSERT and SELECT: nobody who serves can edit the audit log.
    Those declared `no_update` get DELETE too, as people may be forgotten but nothing rewritten.
    Partitions are reached through their tables only.

    Args:
        owner_conninfo: how the owner's role connects.
        epoch: whose role it is.
        password: of the role.
        metadata: the tables.
        is_due: is asked when no fence (fence.py) can close any more until this is done; where it
            says no, nothing is granted.

    Raises:
        Unavailable: the owner may not create roles; says what an administrator must run.
    """
    database = str(conninfo_to_dict(owner_conninfo)["dbname"])
    role = app_role(database, epoch)
    append_only = [t.name for t in metadata.tables.values() if t.info.get("append_only")]
    with psycopg.connect(owner_conninfo, autocommit=True) as connection:
        _alone(connection)
        if not is_due():
            return
        try:
            _ensure_login(connection, role, password, "")
        except psycopg.errors.InsufficientPrivilege as error:
            owner = connection.info.user
            raise Unavailable(NOT_ALLOWED.format(role=role, owner=owner)) from error
        name = sql.Identifier(role)
        with connection.transaction():
            for grant in _GRANTS:
                connection.execute(sql.SQL(grant).format(role=name))
            for table in append_only:
                statement = sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}")
                connection.execute(statement.format(sql.Identifier(table), name))
            for table in (t.name for t in metadata.tables.values() if t.info.get("no_update")):
                statement = sql.SQL("REVOKE UPDATE, TRUNCATE ON {} FROM {}")
                connection.execute(statement.format(sql.Identifier(table), name))
            for partition in connection.execute(_PARTITIONS).fetchall():
                statement = sql.SQL("REVOKE ALL ON {} FROM {}")
                connection.execute(statement.format(sql.Identifier(str(partition[0])), name))


_GRANTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    # A restored database has every function open to everybody, as backups hold no privileges.
    "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}",
)
_PARTITIONS = (
    "SELECT relname FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relispartition AND relkind IN ('r', 'p')"
)


def _alone(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    # Two commands that open the region at once must not alter one role at the same time: the
    # second would fail with "tuple concurrently updated". Let go when the connection closes.
    connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])


def _ensure_login(
    connection: psycopg.Connection[tuple[object, ...]], role: str, password: str, extra: str
) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # An owner who is no superuser may not even name the attributes that only one can give.
    form = (
        "ALTER ROLE {} LOGIN PASSWORD {}"
        if found
        else f"CREATE ROLE {{}} LOGIN {extra} PASSWORD {{}}"
    )
    # The statement takes no parameters; the password goes as a quoted literal over the socket.
    connection.execute(sql.SQL(form).format(sql.Identifier(role), sql.Literal(password)))
