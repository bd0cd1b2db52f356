"""Jobs, for staff."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.jobs.listing import JobCounts, ListedJob, count_jobs, list_jobs
from reelm.web.viewer import Viewer


class Jobs(msgspec.Struct, frozen=True):
    """Jobs and how many there are in each state."""

    jobs: list[ListedJob]
    counts: JobCounts


def jobs(
    session: Session,
    viewer: Viewer,
    state: Literal["queued", "running", "failed", "done"] | None = None,
    limit: Annotated[int, Meta(ge=1, le=500)] = 100,
) -> Jobs:
    """List what is queued, running, failed and done, and why.

    Jobs of legal orders are listed to those alone who may see orders: some are confidential.
    """
    hidden = None if accounts.may(viewer.role, accounts.Power.SEE_ORDERS) else "order_id"
    return Jobs(list_jobs(session, state=state, hidden=hidden, limit=limit), count_jobs(session))
