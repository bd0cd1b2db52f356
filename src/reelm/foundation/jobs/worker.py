"""Run jobs: retries within the cap, a reason for each failure, recovery of stalled ones."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import procrastinate
from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Status
from procrastinate.retry import BaseRetryStrategy
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.database.base import JobReport
from reelm.foundation.errors import Frozen, ReelmError, Unavailable
from reelm.foundation.jobs.defer import Task
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
QUEUED_AGAIN = Line("queueing stalled job {job} ({task}) again")
NOT_LOOKED = Line("looking for stalled jobs failed")

HEARTBEAT_S = 2.0
# Five missed heartbeats: a worker under load may miss one or two.
STALLED_AFTER_S = 10.0
RECOVER_EVERY_S = 5.0
FROZEN_RETRY_S = 30
CUT_OFF = "The worker was cut off while it ran this, as often as it may be tried."


@dataclass(frozen=True)
class JobRun:
    """What a job function is given beside its ids."""

    parts: Parts
    job_id: int

    def transaction(self) -> AbstractContextManager[Session]:
        """Yield a session whose work is committed at the end."""
        return self.parts.transaction()

    def progress(self, fraction: float) -> None:
        """Tell people how far this job is, from 0 to 1."""
        _report(self.parts, self.job_id, progress=fraction, reason=None)


@dataclass(frozen=True)
class Job:
    """The function that does a task, and what to do when it has failed for good.

    `on_failed` gets the run, the reason and the ids; it may be called more than once.
    """

    run: Callable[..., None]
    on_failed: Callable[..., None] | None = None


@dataclass(frozen=True)
class Periodic:
    """A task that is deferred by the clock, in cron's form."""

    task: Task
    cron: str


Jobs = Mapping[Task, Job]


async def run_worker(
    parts: Parts,
    jobs: Jobs,
    *,
    queues: Mapping[str, int],
    periodic: Sequence[Periodic] = (),
    until_idle: bool = False,
) -> None:
    """Run jobs until cancelled, or with `until_idle` until no job is ready.

    Args:
        parts: the open region.
        jobs: what does each task.
        queues: how many jobs of each queue run at once.
        periodic: tasks to defer by the clock.
        until_idle: stop when the queue is empty, for commands without a server.
    """
    connector = procrastinate.PsycopgConnector(
        conninfo=parts.database.conninfo, min_size=1, max_size=4 + len(queues)
    )
    app = procrastinate.App(connector=connector)
    for task, job in jobs.items():
        _register(app, parts, task, job, [p.cron for p in periodic if p.task == task])
    async with app.open_async():
        await recover_stalled(app, parts, jobs)
        recovery = asyncio.create_task(_recover_for_ever(app, parts, jobs))
        try:
            await asyncio.gather(*(_run(app, name, n, until_idle) for name, n in queues.items()))
        finally:
            recovery.cancel()


async def _run(app: procrastinate.App, queue: str, concurrency: int, until_idle: bool) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=concurrency,
        wait=not until_idle,
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=STALLED_AFTER_S,
        fetch_job_polling_interval=5.0,
        shutdown_graceful_timeout=3.0,
    )


async def recover_stalled(app: procrastinate.App, parts: Parts, jobs: Jobs) -> None:
    """Queue the jobs of dead workers again, or end them as failed where the cap is reached."""
    manager = app.job_manager
    by_name = {task.name: (task, job) for task, job in jobs.items()}
    await manager.prune_stalled_workers(STALLED_AFTER_S)
    for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
        task, job = by_name.get(stalled.task_name, (Task(stalled.task_name, attempts=1), None))
        if stalled.attempts + 1 < task.attempts:
            log.info(QUEUED_AGAIN(job=stalled.id, task=task.name))
            await manager.retry_job(stalled)
            continue
        if stalled.id is not None:
            await asyncio.to_thread(
                _failed, JobRun(parts, stalled.id), job, CUT_OFF, stalled.task_kwargs
            )
        await manager.finish_job(stalled, status=Status.FAILED, delete_job=False)


async def _recover_for_ever(app: procrastinate.App, parts: Parts, jobs: Jobs) -> None:
    while True:
        await asyncio.sleep(RECOVER_EVERY_S)
        try:
            await recover_stalled(app, parts, jobs)
        except Exception:
            # The database may be restarting; the next round finds what this one missed.
            log.exception(NOT_LOOKED())


class _Retry(BaseRetryStrategy):
    """Retry what may pass, with growing pauses; a wrong input fails at once."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> RetryDecision | None:
        """Say when to try again, or None where that is of no use or was done often enough."""
        if _is_final(exception, job.attempts, self.attempts):
            return None
        if isinstance(exception, Frozen):
            return RetryDecision(retry_in={"seconds": FROZEN_RETRY_S})
        return RetryDecision(retry_in={"seconds": 2 ** (job.attempts + 1)})


def _is_final(exception: BaseException, attempts_before: int, cap: int) -> bool:
    if isinstance(exception, Frozen):
        return False  # it is no fault of the job's, however long it lasts
    wrong_input = isinstance(exception, ReelmError) and not isinstance(exception, Unavailable)
    return wrong_input or attempts_before + 1 >= cap


def _register(
    app: procrastinate.App, parts: Parts, task: Task, job: Job, crons: Iterable[str]
) -> None:
    def execute(context: JobContext, /, **ids: Any) -> None:
        """Run the job; where it fails, leave a reason for people before the error goes on."""
        number = context.job.id
        if number is None:
            raise AssertionError("a fetched job has a number")
        ids.pop("timestamp", None)  # Procrastinate's own argument of periodic jobs
        run = JobRun(parts, number)
        try:
            job.run(run, **ids)
        except Exception as error:
            reason = _sentence(error)
            if _is_final(error, context.job.attempts, task.attempts):
                _failed(run, job, reason, ids)
            else:
                _report(parts, number, progress=0.0, reason=f"{reason} It will be tried again.")
            raise

    registered = app.task(
        name=task.name, queue=task.queue, retry=_Retry(task.attempts), pass_context=True
    )(execute)
    for cron in crons:
        app.periodic(cron=cron)(registered)  # type: ignore[arg-type]  # takes any keyword


def _sentence(error: Exception) -> str:
    if isinstance(error, ReelmError):
        return error.sentence
    return f"Something went wrong inside ({type(error).__name__}); the log has the details."


def _failed(run: JobRun, job: Job | None, reason: str, ids: Mapping[str, Any]) -> None:
    _report(run.parts, run.job_id, progress=0.0, reason=reason)
    if job is not None and job.on_failed is not None:
        job.on_failed(run, reason, **{k: v for k, v in ids.items() if k != "timestamp"})


def _report(parts: Parts, job_id: int, *, progress: float, reason: str | None) -> None:
    values = {"progress": progress, "reason": reason, "updated_at": now()}
    with parts.transaction() as session:
        session.execute(
            insert(JobReport)
            .values(job_id=job_id, **values)
            .on_conflict_do_update(index_elements=[JobReport.job_id], set_=values)
        )
