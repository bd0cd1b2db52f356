"""Put a job into the queue, in the transaction of the row it belongs to."""

from dataclasses import dataclass

import procrastinate
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Task:
    """The name of a kind of job; app.py says which function does it."""

    name: str
    queue: str = "default"
    attempts: int = 3


# Knows task names only. Tasks bound to the worker's async app cannot be deferred from inside
# a job, where the caller holds a synchronous connection.
_by_name = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer(session: Session, task: Task, *, after_s: int = 0, priority: int = 0, **ids: int) -> int:
    """Insert a job whose arguments are ids and return its number.

    The job is seen by a worker when, and only when, the session's transaction commits.
    """
    connection = session.connection().connection.driver_connection
    deferrer = _by_name.configure_task(
        task.name,
        queue=task.queue,
        priority=priority,
        schedule_in={"seconds": after_s} if after_s else None,
        connection=connection,
    )
    return deferrer.defer(**ids)
