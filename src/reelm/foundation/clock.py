"""The one place where the time is asked, so that a test can set it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC, aware."""
    return datetime.now(UTC)
