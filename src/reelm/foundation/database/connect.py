"""Connections: one pool, one transaction for each request or job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from reelm.foundation.database import fence
from reelm.foundation.database.fence import FROZEN
from reelm.foundation.errors import Departed, Frozen, Unavailable

# A query of a page takes milliseconds; one that takes this long holds a connection for nothing.
STATEMENT_TIMEOUT_MS = 30_000
# The server is stopped, lost, starting or too busy, or no connection came free: it can be tried
# again. A wrong statement or a violated constraint is neither of these.
PASSING = (
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
AWAY = "The database does not answer just now; try again in a moment."
DEPARTED = "This region has gone to another operator, who serves it now."


@dataclass
class Database:
    """The region's database as one role sees it."""

    conninfo: str
    pool_size: int = 5
    info: dict[str, Any] = field(default_factory=dict)
    engine: Engine = field(init=False)
    _is_closed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(self.conninfo, options=options, connect_timeout=10),
            # Handlers and pool have the same size: a smaller pool gave time-outs when measured.
            pool_size=self.pool_size,
            max_overflow=2,
            pool_timeout=30,
            pool_pre_ping=True,
            # Values may be personal data, and errors go to the log.
            hide_parameters=True,
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session that is committed at the end, or rolled back by an exception.

        Raises:
            Unavailable: the database does not answer; with the driver's error as its cause.
            Frozen: it refuses the write, as the region is being handed over (fence.py).
            Departed: it refuses everything, as the region has gone.
        """
        try:
            session = Session(self.engine, expire_on_commit=False, info=self.info)
            with session, session.begin():
                yield session
        except PASSING as error:
            raise Unavailable(AWAY) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable(AWAY) from error
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                self._refuse_by_fence(error)
            raise
        finally:
            self._end_idle()

    def close(self) -> None:
        """Close all connections; one that a thread still holds ends as it is given back."""
        self._is_closed = True
        self._end_idle()

    def _end_idle(self) -> None:
        """Close what lies in the pool; done after each use, as `close` may come in between."""
        if self._is_closed:
            self.engine.pool.dispose()

    def _refuse_by_fence(self, error: DBAPIError) -> None:
        """Say it where the fence is why a statement was refused; asked only then."""
        with self.engine.connect() as connection:
            if fence.is_shut(connection):
                raise Departed(DEPARTED) from error
            if fence.is_closed(connection):
                raise Frozen(FROZEN) from error

    def wait(self, timeout_s: float = 60) -> None:
        """Wait until the database answers.

        Raises:
            Unavailable: it did not answer in time; with its own reason.
        """
        end = time.monotonic() + timeout_s
        while True:
            try:
                with self.engine.connect() as connection:
                    connection.execute(text("SELECT 1"))
                    return
            except OperationalError as error:
                if time.monotonic() > end:
                    reason = str(error.orig).strip().splitlines()[-1:]
                    sentence = f"The database does not answer: {' '.join(reason)}"
                    raise Unavailable(sentence) from error
                time.sleep(0.1)
