"""Jobs, for staff."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm.foundation.database import Session
from reelm.foundation.jobs.listing import JobCounts, ListedJob, count_jobs, list_jobs


class Jobs(msgspec.Struct, frozen=True):
    """Jobs and how many there are in each state."""

    jobs: list[ListedJob]
    counts: JobCounts


def jobs(
    session: Session,
    state: Literal["queued", "running", "failed", "done"] | None = None,
    limit: Annotated[int, Meta(ge=1, le=500)] = 100,
) -> Jobs:
    """List what is queued, running, failed and done, and why."""
    return Jobs(list_jobs(session, state=state, limit=limit), count_jobs(session))
