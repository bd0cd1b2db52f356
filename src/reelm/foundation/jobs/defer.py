"""Put a job into the queue, in the transaction of the row it belongs to."""

from dataclasses import dataclass

import procrastinate
from sqlalchemy.orm import Session

from reelm.foundation.classes import (
    DataClass,
    Erasure,
    Place,
    Residency,
    Transfer,
    declare,
    refuse_undeclared,
)

# What every queue is: the arguments of jobs are ids (design.md rule 4.10).
JOB_IDS = DataClass(
    Residency.REGION, Transfer.REBUILD, Erasure.EXPIRE, "Jobs hold ids; the buyer defers its own."
)
DEFAULT = declare(Place.QUEUE, "default", "ids of what is erased, swept or kept in order", JOB_IDS)


@dataclass(frozen=True)
class Task:
    """The name of a kind of job; app.py says which function does it.

    Raises:
        Unavailable: nobody declared its queue.
    """

    name: str
    queue: str = DEFAULT
    attempts: int = 3

    def __post_init__(self) -> None:
        refuse_undeclared(Place.QUEUE, self.queue)


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
