"""While the database is away: a sentence and when to come back, for programs and for people."""

import logging
import socket
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from starlette.testclient import TestClient

from reelm.foundation.database.connect import AWAY, Database
from reelm.foundation.parts import Parts

WATCHES = {"watches": [{"video_id": "1", "watched_ms": 10}]}


@pytest.fixture
def away(postgres: str, parts: Parts) -> Iterator[Callable[[], None]]:
    """Have the server end all connections to the region's database and let none in."""
    name = conninfo_to_dict(parts.database.conninfo)["dbname"]
    with psycopg.connect(postgres, autocommit=True) as connection:

        def leave() -> None:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

        yield leave
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.fixture
def hanging(parts: Parts) -> Iterator[Callable[[], None]]:
    """Have the region's database take connections and say nothing, as a stopped server does."""
    real, pool = parts.database.conninfo, parts.database.engine.pool
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def hang() -> None:
            port = listener.getsockname()[1]
            parts.database.conninfo = make_conninfo(real, host="127.0.0.1", port=port)
            parts.database.engine.dispose()

        yield hang
    parts.database.conninfo = real
    pool.dispose()  # of what was in use as another pool took its place


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/feed"),
        ("GET", "/api/feed?tab=popular"),
        ("POST", "/api/watches"),
        ("POST", "/api/signals"),
        ("GET", "/api/videos/1"),
        ("GET", "/media/1/poster.jpg"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
    ],
)
def test_programs_are_told_to_come_back(
    client: TestClient,
    away: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    signals = {"signals": [{"kind": "share", "video_id": "1"}]}
    body = WATCHES if path == "/api/watches" else signals
    away()
    answer = client.request(method, path, json=body if method == "POST" else None)
    assert answer.status_code == 503
    assert answer.json()["detail"] == AWAY
    assert int(answer.headers["retry-after"]) > 0
    told = [one for one in caplog.records if one.name == "reelm.web.application"]
    assert all(one.levelno == logging.WARNING and not one.exc_info for one in told)
    if not path.startswith("/media/"):
        assert len(told) == 1
        assert "\n" not in told[0].getMessage()
        assert "does not answer" in told[0].getMessage()


def test_people_get_a_page_that_says_so(client: TestClient, away: Callable[[], None]) -> None:
    away()
    answer = client.get("/", headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "<html" in answer.text
    assert AWAY in answer.text
    assert int(answer.headers["retry-after"]) > 0


def test_a_full_pool_is_told_the_same_way(client: TestClient, parts: Parts) -> None:
    real = parts.database.engine
    parts.database.engine = Database(parts.database.conninfo, pool_size=1).engine
    parts.database.engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    parts.database.engine.pool._max_overflow = 0  # type: ignore[attr-defined]
    with parts.database.engine.connect():
        answer = client.get("/api/videos/1")
    parts.database.close()
    parts.database.engine = real
    assert answer.status_code == 503
    assert answer.json()["detail"] == AWAY


def test_a_wrong_statement_is_a_failure_and_not_an_absence(parts: Parts) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), parts.transaction() as session:
        cursor = session.connection().connection.cursor()
        cursor.execute("SELECT * FROM nothing_of_the_kind")


def test_health_does_not_wait_for_a_database_that_hangs(
    client: TestClient, hanging: Callable[[], None]
) -> None:
    hanging()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The database has not answered within 2 seconds."
    assert int(answer.headers["retry-after"]) > 0
