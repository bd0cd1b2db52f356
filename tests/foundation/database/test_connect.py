"""The pool is closed for good, whoever holds one of its connections just then."""

import threading
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from reelm.foundation.database import Database


@pytest.fixture
def opened(postgres, monkeypatch):
    """Every connection that is made."""
    made = []

    def connect(*given: Any, **named: Any):
        made.append(real(*given, **named))
        return made[-1]

    real = psycopg.connect
    monkeypatch.setattr(psycopg, "connect", connect)
    return made


def test_one_that_is_held_while_the_pool_is_closed_ends_as_it_is_given_back(postgres, opened):
    database = Database(postgres)
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
        thread = threading.Thread(target=database.close)
        thread.start()
        thread.join()
    assert [one.closed for one in opened] == [True]


def test_one_that_goes_back_just_as_the_pool_is_closed_ends_as_well(postgres, opened, monkeypatch):
    database = Database(postgres)
    queue = cast("QueuePool", database.engine.pool)._pool
    put = queue.put

    def close_before(*given: Any):
        database.close()
        put(*given)

    monkeypatch.setattr(queue, "put", close_before)
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
    assert [one.closed for one in opened] == [True]


def test_one_that_is_made_after_the_close_does_not_stay(postgres, opened):
    database = Database(postgres)
    database.close()
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
    assert [one.closed for one in opened] == [True]
