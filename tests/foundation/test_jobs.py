"""Jobs: with their rows, retried within the cap, ended with a reason, recovered when cut off."""

import asyncio
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import text

from reelm.foundation.errors import Invalid
from reelm.foundation.events import Event, publish
from reelm.foundation.jobs import Job, JobRun, Task, defer, run_worker
from reelm.foundation.jobs.listing import count_jobs, list_jobs
from reelm.foundation.parts import Parts

QUEUES = {"default": 2}


def work(parts: Parts, jobs: dict[Task, Job]) -> None:
    asyncio.run(run_worker(parts, jobs, queues=QUEUES, until_idle=True))


def hurry(parts: Parts) -> None:
    """Make waiting retries due now."""
    with psycopg.connect(parts.database.conninfo) as connection:
        connection.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")


def jobs_of(parts: Parts):
    with parts.transaction() as session:
        return list_jobs(session)


def test_a_job_is_lost_with_the_transaction_it_belongs_to(parts: Parts) -> None:
    with pytest.raises(RuntimeError), parts.transaction() as session:
        defer(session, Task("test.never"), video_id=1)
        raise RuntimeError
    assert jobs_of(parts) == []


def test_a_job_runs_once_its_transaction_has_committed(parts: Parts) -> None:
    seen = []
    task = Task("test.see")
    with parts.transaction() as session:
        defer(session, task, video_id=5)
    work(parts, {task: Job(lambda run, video_id: seen.append(video_id))})
    assert seen == [5]
    assert [job.state for job in jobs_of(parts)] == ["done"]


def test_a_job_can_defer_another_in_its_own_transaction(parts: Parts) -> None:
    seen = []
    first, second = Task("test.first"), Task("test.second")

    def start(run: JobRun, *, number: int) -> None:
        with run.transaction() as session:
            defer(session, second, number=number + 1)

    with parts.transaction() as session:
        defer(session, first, number=1)
    table = {first: Job(start), second: Job(lambda run, number: seen.append(number))}
    work(parts, table)
    work(parts, table)
    assert seen == [2]


def test_a_wrong_input_fails_at_once_with_its_reason(parts: Parts) -> None:
    told = []
    task = Task("test.refuse")

    def refuse(run: JobRun, *, video_id: int) -> None:
        raise Invalid("This is not a video.")

    with parts.transaction() as session:
        defer(session, task, video_id=9)
    work(parts, {task: Job(refuse, lambda run, reason, video_id: told.append((reason, video_id)))})
    (job,) = jobs_of(parts)
    assert (job.state, job.reason) == ("failed", "This is not a video.")
    assert told == [("This is not a video.", 9)]


def test_a_passing_fault_is_retried_up_to_the_cap(parts: Parts) -> None:
    tries = []
    ended = []
    task = Task("test.fall", attempts=3)

    def fall(run: JobRun) -> None:
        tries.append(1)
        raise OSError("no")

    with parts.transaction() as session:
        defer(session, task)
    for _ in range(5):
        work(parts, {task: Job(fall, lambda run, reason: ended.append(reason))})
        hurry(parts)
    assert len(tries) == 3
    assert len(ended) == 1
    (job,) = jobs_of(parts)
    assert job.state == "failed"
    assert "OSError" in (job.reason or "")


def cut_off(parts: Parts, attempts: int) -> None:
    """Leave the job as a killed worker leaves it."""
    with psycopg.connect(parts.database.conninfo) as connection:
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL, attempts = %s",
            [attempts],
        )


def test_a_job_of_a_killed_worker_is_run_again(parts: Parts) -> None:
    seen = []
    task = Task("test.resume", attempts=3)
    with parts.transaction() as session:
        defer(session, task)
    cut_off(parts, 0)
    work(parts, {task: Job(lambda run: seen.append(1))})
    work(parts, {task: Job(lambda run: seen.append(1))})
    assert seen == [1]


def test_a_job_cut_off_as_often_as_the_cap_ends_as_failed(parts: Parts) -> None:
    ended = []
    task = Task("test.kill", attempts=3)
    with parts.transaction() as session:
        defer(session, task)
    cut_off(parts, 2)
    work(parts, {task: Job(lambda run: None, lambda run, reason: ended.append(reason))})
    assert len(ended) == 1
    (job,) = jobs_of(parts)
    assert job.state == "failed"
    assert "cut off" in (job.reason or "")
    with parts.transaction() as session:
        assert count_jobs(session).failed == 1


@dataclass(frozen=True)
class Happened(Event):
    thing_id: int


def test_an_event_becomes_one_job_for_each_subscriber(parts: Parts) -> None:
    one, two = Task("test.one"), Task("test.two")
    parts.database.info["subscribers"] = {Happened: (one, two)}
    with parts.transaction() as session:
        publish(session, Happened(thing_id=3))
    assert sorted((job.name, job.subject) for job in jobs_of(parts)) == [
        ("test.one", "thing_id 3"),
        ("test.two", "thing_id 3"),
    ]


def test_progress_is_shown(parts: Parts) -> None:
    task = Task("test.progress")
    with parts.transaction() as session:
        defer(session, task)
    work(parts, {task: Job(lambda run: run.progress(0.5))})
    assert jobs_of(parts)[0].progress == 0.5


def test_the_serving_role_can_neither_define_nor_edit_the_audit_log(parts: Parts) -> None:
    for statement in (
        "CREATE TABLE mine (id int)",
        "DROP TABLE audit_entry",
        "UPDATE audit_entry SET kind = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "ALTER TABLE video ADD COLUMN x int",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        with (
            pytest.raises(Exception, match=r"permission denied|must be owner"),
            parts.transaction() as session,
        ):
            session.execute(text(statement))
