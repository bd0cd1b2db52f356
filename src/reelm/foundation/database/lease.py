"""The lease of a process number, so that no two processes make the same id."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation import ids
from reelm.foundation.database.base import ProcessLease
from reelm.foundation.database.connect import Database
from reelm.foundation.errors import ReelmError, Unavailable
from reelm.foundation.logs import Line

log = logging.getLogger(__name__)
NOT_RENEWED = Line("the id lease was not renewed: {error}")
ENDS_BY_ITSELF = Line("the id lease ends by itself: {error}")

# A holder that cannot renew stops making ids well before another may take its number.
LEASE_S = 120
RENEW_S = 20


class LeasedSnowflakes(ids.Snowflakes):
    """Snowflakes that stop when the lease is not renewed in time."""

    until_ms: int = 0

    def next(self) -> int:
        """Return a new id, or raise Unavailable when the lease has run out."""
        if self.wall_ms() >= self.until_ms:
            raise Unavailable("The id lease of this process has run out; the database is away.")
        return super().next()


@contextmanager
def leased_ids(database: Database, region: int) -> Iterator[None]:
    """Hold a process number for this process, and make it the source of new ids."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with database.transaction() as session:
        process, floor_ms, until_ms = _acquire(session, holder)
    source = LeasedSnowflakes(region=region, process=process, floor_ms=floor_ms)
    source.until_ms = until_ms
    stop = threading.Event()
    renewer = threading.Thread(
        target=_renew, args=(database, source, holder, stop), name="id-lease", daemon=True
    )
    renewer.start()
    ids.use(source)
    try:
        yield
    finally:
        ids.use(None)
        stop.set()
        renewer.join()
        _release(database, process, holder)


def _acquire(session: Session, holder: str) -> tuple[int, int, int]:
    """Take a free number; return it, the ms before which ids may exist, and the lease's end."""
    # One at a time: two that look for a free number must not find the same.
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    taken = {row.process: row for row in session.scalars(select(ProcessLease))}
    now = session.scalar(select(func.now()))
    if now is None:
        raise AssertionError("now() is never null")
    for process in range(ids.MAX_PROCESS + 1):
        row = taken.get(process)
        if row is None or row.until < now:
            break
    else:
        raise Unavailable("All 64 process numbers of this region are in use.")
    floor = 0 if row is None else int(row.until.timestamp() * 1000)
    until = now + timedelta(seconds=LEASE_S)
    values = {"holder": holder, "until": until}
    session.execute(
        insert(ProcessLease)
        .values(process=process, **values)
        .on_conflict_do_update(index_elements=[ProcessLease.process], set_=values)
    )
    return process, floor, int(until.timestamp() * 1000)


_LOCK = 0x7265656C6D01  # "reelm" 1


def _renew(
    database: Database, source: LeasedSnowflakes, holder: str, stop: threading.Event
) -> None:
    while not stop.wait(RENEW_S):
        try:
            with database.transaction() as session:
                until = session.scalar(
                    update(ProcessLease)
                    .where(ProcessLease.process == source.process, ProcessLease.holder == holder)
                    .values(until=func.now() + timedelta(seconds=LEASE_S))
                    .returning(ProcessLease.until)
                )
            if until is not None:
                source.until_ms = int(until.timestamp() * 1000)
        except (ReelmError, OSError) as error:
            log.warning(NOT_RENEWED(error=error))


def _release(database: Database, process: int, holder: str) -> None:
    try:
        with database.transaction() as session:
            session.execute(
                update(ProcessLease)
                .where(ProcessLease.process == process, ProcessLease.holder == holder)
                .values(until=func.now())
            )
    except (ReelmError, OSError) as error:
        log.info(ENDS_BY_ITSELF(error=error))
