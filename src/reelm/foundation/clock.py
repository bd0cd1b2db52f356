"""The one place where the time is asked, so that a test can set it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC, aware."""
    return datetime.now(UTC)


def utc_text(time: datetime) -> str:
    """Return a time in UTC in the form of RFC 3339, as 2026-11-23T10:00:00.5Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
