"""The log holds declared fields and nothing else."""

import logging
from collections.abc import Iterator

import psycopg
import pytest

from reelm.foundation.errors import Unavailable
from reelm.foundation.logs import DeclaredFormatter, Line

TOKEN = "canary-7f3a"
LOST = Line("the connection is lost: {error}")


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("reelm.test_logs")
    yield logger
    logger.handlers.clear()


@pytest.fixture
def written(log: logging.Logger) -> list[str]:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    handler.setFormatter(DeclaredFormatter("web"))
    log.addHandler(handler)
    return lines


def test_a_line_is_written_with_its_fields(log: logging.Logger, written: list[str]) -> None:
    log.warning(
        Line("{count} signals were not written: {error}")(count=3, error=Unavailable("No."))
    )
    assert written == ["web: WARNING 3 signals were not written: No."]


def test_of_any_other_text_only_the_logger_is_written(
    log: logging.Logger, written: list[str]
) -> None:
    log.warning("signed in: %s", TOKEN)
    log.error(f"signed in: {TOKEN}")  # noqa: G004 - the leak that this plants
    log.warning("signed in", extra={"handle": TOKEN})
    assert [TOKEN in line for line in written] == [False] * 3
    assert all("reelm.test_logs" in line and "left out" in line for line in written)


def test_of_an_error_kinds_and_places_are_written_and_no_message(
    log: logging.Logger, written: list[str]
) -> None:
    failed = ValueError(f"not a birth date: {TOKEN}")
    failed.__cause__ = KeyError(TOKEN)
    try:
        _raise(failed)
    except ValueError:
        log.exception(Line("a request failed")())
    assert TOKEN not in written[0]
    assert "builtins.ValueError" in written[0]
    assert "builtins.KeyError" in written[0]
    assert "test_logs.py" in written[0]


def _raise(error: Exception) -> None:
    raise error


def test_of_a_driver_the_reason_is_written_and_no_row(
    log: logging.Logger, written: list[str]
) -> None:
    row = f"DETAIL:  Key (handle_key)=({TOKEN}) already exists."
    log.warning(LOST(error=psycopg.OperationalError(f"server closed the connection\n{row}")))
    log.warning(LOST(error=ConnectionResetError(104, "Connection reset by peer", TOKEN)))
    log.warning(LOST(error=ValueError(TOKEN)))
    cause = Unavailable("The database does not answer.")
    cause.__cause__ = psycopg.OperationalError(f"connection refused\n{row}")
    log.warning(LOST(error=cause))
    assert written == [
        "web: WARNING the connection is lost: server closed the connection",
        "web: WARNING the connection is lost: Connection reset by peer",
        "web: WARNING the connection is lost: builtins.ValueError",
        "web: WARNING the connection is lost: The database does not answer. (connection refused)",
    ]
