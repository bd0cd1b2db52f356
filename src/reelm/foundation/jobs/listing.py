"""What is queued, running, failed and done, for people."""

from datetime import datetime
from typing import Annotated

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from reelm.foundation.jobs.defer import Task

# Procrastinate's states by the words that people read.
STATES = {
    "todo": "queued",
    "doing": "running",
    "failed": "failed",
    "succeeded": "done",
    "cancelled": "done",
    "aborted": "done",
}


class ListedJob(msgspec.Struct, frozen=True, kw_only=True):
    """One job; its arguments are ids, and `reason` is the sentence of its last failure."""

    id: str
    name: str
    queue: str
    subject: str
    state: str
    attempts: int
    progress: float
    reason: str | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class JobCounts(msgspec.Struct, frozen=True):
    """How many jobs are in each state."""

    queued: int = 0
    running: int = 0
    failed: int = 0
    done: int = 0


_UNDONE = text(
    """
    SELECT args ->> :argument FROM procrastinate_jobs
    WHERE task_name = :name AND status <> 'succeeded'
    GROUP BY 1 ORDER BY min(id)
    """
)
Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]

_LIST = text(
    """
    SELECT job.id, job.task_name, job.queue_name, job.args, job.status::text, job.attempts,
        coalesce(report.progress, 0), report.reason, event.queued_at, event.started_at,
        CASE WHEN job.status IN ('failed', 'succeeded', 'cancelled', 'aborted')
            THEN event.finished_at END
    FROM procrastinate_jobs job
    LEFT JOIN job_report report ON report.job_id = job.id
    LEFT JOIN LATERAL (
        SELECT min(at) FILTER (WHERE type = 'deferred') AS queued_at,
            max(at) FILTER (WHERE type = 'started') AS started_at, max(at) AS finished_at
        FROM procrastinate_events WHERE job_id = job.id
    ) event ON true
    WHERE (CAST(:state AS text) IS NULL OR job.status::text = ANY(CAST(:states AS text[])))
        AND (CAST(:hidden AS text) IS NULL OR job.args -> CAST(:hidden AS text) IS NULL)
    ORDER BY job.status NOT IN ('doing', 'todo', 'failed'), job.id DESC
    LIMIT :limit
    """
)


def undone_ids(session: Session, task: Task, argument: str) -> list[int]:
    """Return this argument of the jobs of one kind that were not done, once each, the first first.

    Those that have failed are among them.

    Args:
        session: a transaction.
        task: the kind.
        argument: the name of an id that it takes.
    """
    found = session.scalars(_UNDONE, {"name": task.name, "argument": argument})
    return [int(one) for one in found]


def list_jobs(
    session: Session, *, state: str | None = None, hidden: str | None = None, limit: int = 100
) -> list[ListedJob]:
    """Return jobs, unfinished and failed ones first, newest first.

    Args:
        session: a transaction.
        state: only queued, running, failed or done.
        hidden: an argument such as `order_id`; jobs that have it are left out.
        limit: at most so many.
    """
    states = [theirs for theirs, ours in STATES.items() if ours == state]
    rows = session.execute(
        _LIST, {"state": state, "states": states, "hidden": hidden, "limit": limit}
    )
    return [
        ListedJob(
            id=str(row[0]),
            name=row[1],
            queue=row[2],
            subject=", ".join(f"{k} {v}" for k, v in row[3].items() if k != "timestamp"),
            state=STATES[row[4]],
            attempts=row[5],
            progress=row[6],
            reason=row[7],
            queued_at=row[8],
            started_at=row[9],
            finished_at=row[10],
        )
        for row in rows
    ]


def count_jobs(session: Session) -> JobCounts:
    """Return how many jobs are in each state."""
    rows = session.execute(
        text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
    )
    counts: dict[str, int] = {}
    for status, number in rows:
        counts[STATES[status]] = counts.get(STATES[status], 0) + number
    return JobCounts(**counts)
