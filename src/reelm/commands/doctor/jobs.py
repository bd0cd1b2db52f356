"""Jobs that failed, stalled or wait, and uploads that nobody finished."""

from datetime import timedelta
from typing import Any

from psycopg import Connection

from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.commands.serve import is_served
from reelm.foundation.home import Home
from reelm.foundation.jobs.worker import RECOVER_EVERY_S, STALLED_AFTER_S

WHY = "`reelm jobs --state failed` says why each one failed."
# A served region takes stalled jobs up again; this leaves it a few rounds.
TAKEN_UP_AFTER = timedelta(seconds=STALLED_AFTER_S + 6 * RECOVER_EVERY_S)
LONG_WAIT = timedelta(minutes=15)

_COUNTS = """
    SELECT count(*) FILTER (WHERE job.status = 'todo'),
        count(*) FILTER (WHERE job.status = 'doing'),
        count(*) FILTER (WHERE job.status = 'failed'),
        count(*) FILTER (WHERE job.status = 'failed' AND event.at > now() - interval '1 day'),
        count(*) FILTER (WHERE job.status = 'doing'
            AND coalesce(worker.last_heartbeat, event.at) < now() - %(stalled)s),
        coalesce(now() - min(coalesce(job.scheduled_at, event.at))
            FILTER (WHERE job.status = 'todo'), interval '0')
    FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id
    ) event ON true
    WHERE job.status IN ('todo', 'doing', 'failed')
"""


def check_jobs(connection: Connection[Any], home: Home) -> Check:
    """Each job ends or is being worked on."""
    row = connection.execute(_COUNTS, {"stalled": TAKEN_UP_AFTER}).fetchone()
    if row is None:
        raise AssertionError("an aggregate has a row")
    queued, running, failed, lately, stalled, longest = row
    served = is_served(home)
    sentence = f"{queued} queued, {running} running, {stalled} stalled, {failed} failed"
    sentence += f" ({lately} of them within a day)." if failed else "."
    if stalled and served:
        mend = "Stop `reelm serve` and start it again; if they stall again, look at what it prints."
        return fail("jobs", sentence, mend)
    if stalled:
        return warn("jobs", sentence, "`reelm serve` takes stalled jobs up again.")
    if served and longest > LONG_WAIT:
        late = f"{sentence} The oldest has waited {longest.total_seconds() / 60:.0f} minutes."
        return warn("jobs", late, "Raise media.encoders if the machine has cores left.")
    if lately:
        return warn("jobs", sentence, WHY)
    return ok("jobs", sentence)


def check_uploads(connection: Connection[Any], home: Home) -> Check:
    """Unfinished uploads have their bytes, and expired ones are removed in time."""
    rows = connection.execute(
        "SELECT id, offset_bytes, expires_at < now() - interval '3 hours', expires_at < now()"
        " FROM upload WHERE video_id IS NULL"
    ).fetchall()
    expired = sum(row[3] for row in rows)
    sentence = f"{len(rows) - expired} under way, {expired} expired."
    lost = [
        row[0]
        for row in rows
        if row[1] and not row[3] and not (home.uploads / str(row[0])).exists()
    ]
    if lost:
        return warn(
            "uploads",
            f"{sentence} Of {len(lost)} the bytes are gone from {home.uploads}.",
            "Whoever sends them starts again; the rows expire by themselves.",
        )
    if any(row[2] for row in rows):
        mend = "They are removed within the hour while the region is served."
        return warn("uploads", sentence, mend)
    return ok("uploads", sentence)
