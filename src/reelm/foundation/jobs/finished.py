"""Jobs that have ended, and when they are forgotten."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

# Their events go with them (a foreign key of Procrastinate's schema).
_DELETE = text(
    """
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT id FROM procrastinate_jobs AS job
        WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted') AND NOT EXISTS (
            SELECT FROM procrastinate_events WHERE job_id = job.id AND at >= :before
        )
        LIMIT :at_most
    )
    RETURNING id
    """
)


def delete_finished(session: Session, before: datetime, at_most: int) -> int:
    """Delete jobs that ended before a moment, failed ones included; return how many."""
    return len(session.execute(_DELETE, {"before": before, "at_most": at_most}).all())
