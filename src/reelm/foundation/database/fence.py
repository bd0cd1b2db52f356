"""The fence of a freeze: the database itself refuses the serving role what is not to be written.

Everything is set in one transaction under locks on the tables. A transaction that has written is
waited for, and one that comes later is refused: PostgreSQL takes the lock of a statement's table
before it looks at privileges (src/backend/executor/execMain.c, InitPlan). So nothing that was
acknowledged is written after the fence is seen. Who opens the region makes sure of the role's
leave (roles.py) before that or after, never in between.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from reelm.foundation.clock import now, utc_text
from reelm.foundation.database import roles
from reelm.foundation.errors import Frozen, Unavailable

# What waits behind the locks waits no longer than this; then the fence is tried again.
LOCK_TIMEOUT_MS = 2000
SEALED_FOR = timedelta(hours=72)
_GUARD = "reelm_frozen"
_SEALED = "reelm_sealed"
FROZEN = (
    "The service is being handed over to another operator. Nothing is changed meanwhile, and"
    " nothing is lost: try again in a while."
)


def close(
    session: Session,
    role: str,
    closed: Iterable[str],
    guarded: dict[str, str],
    subjects: str,
    added_to: Iterable[str] = (),
) -> None:
    """Take from a role the leave to write into tables.

    Args:
        session: of the owner; the fence holds from its commit on.
        role: who serves.
        closed: tables that are not written any more.
        guarded: of tables whose rows may go only with their subject, the column that names it.
        subjects: the table that lists such subjects, by `account_id`.
        added_to: tables whose rows come and go, and are not changed.

    Raises:
        Unavailable: transactions that write do not end; try again.
    """
    hold(session, [*closed, *guarded, *added_to])
    revoke = "INSERT, UPDATE, DELETE, TRUNCATE"
    session.execute(text(f"REVOKE EXECUTE ON FUNCTION drop_signal_days(date) FROM {_quoted(role)}"))
    for table in closed:
        session.execute(text(f"REVOKE {revoke} ON {_quoted(table)} FROM {_quoted(role)}"))
    for table in added_to:
        session.execute(text(f"REVOKE UPDATE ON {_quoted(table)} FROM {_quoted(role)}"))
    session.execute(text(_FUNCTION.format(subjects=_quoted(subjects))))
    for table, column in guarded.items():
        session.execute(text(f"REVOKE INSERT, TRUNCATE ON {_quoted(table)} FROM {_quoted(role)}"))
        session.execute(text(_TRIGGER.format(table=_quoted(table), column=column)))


def is_closed(connection: Session | Connection) -> bool:
    """Whether a freeze has closed the fence."""
    found = connection.execute(text("SELECT to_regprocedure('public.reelm_frozen()')"))
    return found.scalar() is not None


def mark_sealed(session: Session, subjects: str) -> None:
    """Say that the region was sealed: whoever adds a subject waits, or was waited for.

    It holds for `SEALED_FOR`, as who waits has a right to what it waits for.

    Args:
        session: of the owner; it holds from its commit on.
        subjects: the table of those who are erased.

    Raises:
        Unavailable: transactions that write do not end; try again.
    """
    hold(session, [subjects])
    session.execute(text(f"DROP FUNCTION IF EXISTS {_SEALED}()"))
    session.execute(text(_MARK.format(name=_SEALED, until=utc_text(now() + SEALED_FOR))))


def is_sealed(session: Session) -> bool:
    """Whether the region was sealed of late, and neither handed over nor opened again since."""
    if session.scalar(text(f"SELECT to_regprocedure('public.{_SEALED}()')")) is None:
        return False
    until: datetime = session.scalars(text(f"SELECT {_SEALED}()")).one()
    return now() < until


def refuse_if_closed(connection: Session | Connection) -> None:
    """Let nothing begin that waits for the end of a freeze.

    Raises:
        Frozen: a freeze has closed the fence.
    """
    if is_closed(connection):
        raise Frozen(FROZEN)


def is_shut(connection: Connection) -> bool:
    """Whether the tenure of this role has ended: connections that were open then stay so."""
    gone = text(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND NOT rolcanlogin)"
    )
    return bool(connection.execute(gone).scalar())


def hold(session: Session, tables: Iterable[str]) -> None:
    """Let nobody write into tables until the commit, once those who do have ended.

    Raises:
        Unavailable: they do not end; try again.
    """
    session.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
    names = ", ".join(map(_quoted, tables))
    try:
        session.execute(text(f"SELECT pg_advisory_xact_lock({roles.LOCK})"))
        session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    except OperationalError as error:
        raise Unavailable("Transactions that write go on for long; try again.") from error


def open_again(session: Session, guarded: Iterable[str]) -> None:
    """Take the guards away; the role's leave comes back as it is made sure of at each start."""
    for table in guarded:
        session.execute(text(f"DROP TRIGGER IF EXISTS {_GUARD} ON {_quoted(table)}"))
    for function in (_GUARD, _SEALED):
        session.execute(text(f"DROP FUNCTION IF EXISTS {function}()"))


def shut(session: Session, role: str) -> None:
    """Take everything from a role, for ever: it reads nothing, writes nothing, signs in nowhere."""
    name = _quoted(role)
    session.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"))
    session.execute(text(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name}"))
    session.execute(text(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM {name}"))
    session.execute(text(f"REVOKE ALL ON SCHEMA public FROM {name}"))
    session.execute(text(f"ALTER ROLE {name} NOLOGIN PASSWORD NULL"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_MARK = """
    CREATE FUNCTION {name}() RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT timestamptz '{until}' $$
"""
_FUNCTION = """
    CREATE OR REPLACE FUNCTION reelm_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM {subjects}
            WHERE account_id = (to_jsonb(OLD) ->> TG_ARGV[0])::bigint
        ) THEN
            RAISE insufficient_privilege USING MESSAGE = 'the region is frozen';
        END IF;
        RETURN NULL;
    END $$
"""
# Deferred: whatever the order in which one transaction notes the erasure and blanks the row.
_TRIGGER = """
    CREATE CONSTRAINT TRIGGER reelm_frozen AFTER UPDATE OR DELETE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reelm_frozen('{column}')
"""
