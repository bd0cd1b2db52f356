"""The appender: one order, one writer, nothing lost and nothing twice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from tests.feed.log.factory import backend_of, log_rows, shown, some_videos, totals, watch
from tests.social.factory import make_account

from reelm.accounts.models import ErasedAccount
from reelm.feed.log import appender as appenders
from reelm.feed.log import ticket as tickets
from reelm.feed.log import write
from reelm.feed.log.appender import Appender, Position
from reelm.feed.signals import Kind, Signal
from reelm.foundation.clock import now
from reelm.foundation.errors import Frozen, Invalid, RateLimited, TooLarge, Unavailable
from reelm.foundation.ids import new_id


class Log:
    """An appender, and what it handed on."""

    def __init__(self, parts) -> None:
        self.parts = parts
        self.applied = list[list[Signal]]()
        self.loads = 0
        self.appender = Appender(parts.database.conninfo, load=self._load, apply=self._apply)
        self.hold_up = threading.Event()
        self.hold_up.set()

    def _load(self, connection):
        self.loads += 1
        row = connection.execute("SELECT coalesce(max(seq), 0) FROM signal").fetchone()
        return Position(row[0], 0)

    def _apply(self, batch):
        self.hold_up.wait(20)
        self.applied.append(batch)

    def wait(self):
        end = time.monotonic() + 20
        while not self.appender.is_holder and time.monotonic() < end:
            time.sleep(0.01)
        assert self.appender.is_holder
        return self


@pytest.fixture
def make_log(parts):
    made = []

    def make():
        log = Log(parts)
        log.appender.start()
        made.append(log)
        return log

    yield make
    for log in made:
        log.hold_up.set()
        log.appender.stop()


@pytest.fixture
def log(make_log):
    return make_log().wait()


def _at_once(log, signals, threads=8):
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda one: log.appender.append([one]), signals))


def test_signals_get_consecutive_numbers_and_times_that_never_go_back(parts, log):
    _, videos = some_videos(parts)
    viewers = [new_id() for _ in range(4)]
    _at_once(log, [watch(viewer, video) for viewer in viewers for video in videos] * 5)
    rows = log_rows(parts, "seq", "at", "day", "batch_seq")
    assert [row[0] for row in rows] == list(range(1, 61))
    assert all(before[1] <= after[1] for before, after in pairwise(rows))
    assert all(row[2] == row[1].date() for row in rows)
    applied = [(one.seq, batch[0].seq) for batch in log.applied for one in batch]
    assert applied == [(row[0], row[3]) for row in rows]


def test_all_fields_arrive_as_they_were(parts, log):
    _, (video_id, *_) = some_videos(parts)
    told = Signal(
        5, video_id, Kind.WATCH, 0, 0, 21_000, 10_000, 2, True, 3, 77, 4,
        'a "quoted" \\ one, {two}', 0.1 + 0.2, "ünï",
    )  # fmt: skip
    log.appender.append([told])
    (batch,) = log.applied
    assert batch[0]._replace(seq=0, at_ms=0) == told
    columns = [name for name in Signal._fields if name not in ("at_ms", "seq")]
    assert log_rows(parts, *columns) == [tuple(getattr(told, name) for name in columns)]
    at = log_rows(parts, "(extract(epoch FROM at) * 1000)::bigint")
    assert at == [batch[0].at_ms]


def test_a_request_returns_after_the_commit_and_after_it_was_learned_from(parts, log):
    _, (video_id, *_) = some_videos(parts)
    log.hold_up.clear()
    done = threading.Event()

    def tell() -> None:
        log.appender.append([watch(5, video_id)])
        done.set()

    thread = threading.Thread(target=tell)
    thread.start()
    end = time.monotonic() + 10
    while not log_rows(parts) and time.monotonic() < end:
        time.sleep(0.01)
    assert log_rows(parts) == [1]
    assert not done.wait(0.1)
    log.hold_up.set()
    thread.join()
    assert done.is_set()
    assert log.applied


def test_what_waits_together_is_one_batch(parts, log):
    _, (video_id, *_) = some_videos(parts)
    log.hold_up.clear()
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(log.appender.append, [watch(1, video_id)])
        while not log_rows(parts):
            time.sleep(0.01)
        rest = [pool.submit(log.appender.append, [watch(2 + n, video_id)]) for n in range(8)]
        while len(log.appender.queue) < 8:
            time.sleep(0.01)
        log.hold_up.set()
        for future in (first, *rest):
            future.result()
    assert [len(batch) for batch in log.applied] == [1, 8]


def test_views_are_counted_in_the_same_transaction(parts, log):
    creator_id, (video_id, other, *_) = some_videos(parts)
    log.appender.append([
        watch(5, video_id), watch(5, video_id, 3_000), watch(6, video_id, 2_000, loops=1),
        watch(7, video_id, 0), watch(creator_id, video_id), shown(5, other),
    ])  # fmt: skip
    log.appender.append([watch(8, video_id, 9_000)])
    assert totals(parts, video_id) == (4, 3, 23_500)
    assert totals(parts, other) is None


def test_who_is_erased_and_what_is_deleted_leave_a_batch_and_break_nothing(parts, log):
    _, (video_id, *_) = some_videos(parts)
    with parts.transaction() as session:
        erased = make_account(session)
        session.add(ErasedAccount(account_id=erased, erased_at=now()))
    log.appender.append([watch(erased, video_id), watch(5, video_id), watch(5, 123)])
    log.appender.append([watch(erased, video_id)])
    assert log_rows(parts, "viewer_id", "video_id") == [(5, video_id)]
    assert [len(batch) for batch in log.applied] == [1]
    assert log.appender.counts.left_out == 3


def test_a_video_deleted_in_the_middle_of_a_batch_breaks_nothing(parts, log, monkeypatch):
    _, (video_id, other, *_) = some_videos(parts)
    real, calls = write.find, list[int]()

    def find(connection, signals):
        found = real(connection, signals)
        if not calls:
            with parts.transaction() as session:
                session.execute(text("DELETE FROM video WHERE id = :id"), {"id": video_id})
        calls.append(1)
        return found

    monkeypatch.setattr(write, "find", find)
    log.appender.append([watch(5, video_id), watch(5, other)])
    assert len(calls) == 2
    assert log_rows(parts, "video_id") == [other]
    assert [one.video_id for one in log.applied[0]] == [other]


def test_a_reset_takes_all_that_was_logged_of_the_viewer(parts, log):
    _, (video_id, *_) = some_videos(parts)
    log.appender.append([watch(5, video_id), watch(6, video_id)])
    log.appender.append([watch(5, video_id), Signal(5, 0, Kind.RESET), watch(5, video_id)])
    assert log_rows(parts, "viewer_id", "kind") == [(6, 2), (5, 19), (5, 2)]
    assert [[int(one.kind) for one in batch] for batch in log.applied] == [[2, 2], [2], [19], [2]]


@pytest.mark.parametrize(
    "wrong",
    [{"viewer_id": -1}, {"video_id": 1 << 63}, {"watched_ms": 1 << 31}, {"surface": 40_000},
     {"propensity": float("nan")}, {"source": "a\0b"}, {"subject": "\ud800"}, {"loops": -1},
     {"subject": "x" * 201}],
)  # fmt: skip
def test_a_signal_that_the_log_cannot_hold_is_refused_alone(parts, log, wrong):
    with pytest.raises(Invalid, match=next(iter(wrong))):
        log.appender.append([watch(5, 6)._replace(**wrong)])
    assert log_rows(parts) == []


def test_too_much_is_refused_before_it_waits(parts, log, monkeypatch):
    _, (video_id, *_) = some_videos(parts)
    with pytest.raises(TooLarge):
        log.appender.append([watch(5, video_id)] * (tickets.MOST_IN_BATCH + 1))
    log.hold_up.clear()
    monkeypatch.setattr(tickets, "MOST_WAITING", 3)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(log.appender.append, [watch(5, video_id)])
        while not log_rows(parts):
            time.sleep(0.01)
        waiting = [pool.submit(log.appender.append, [watch(5, video_id)]) for _ in range(3)]
        while len(log.appender.queue) < 3:
            time.sleep(0.01)
        with pytest.raises(RateLimited):
            log.appender.append([watch(5, video_id)])
        log.hold_up.set()
        for future in (first, *waiting):
            future.result()
    assert len(log_rows(parts)) == 4


def test_a_second_process_is_refused_and_takes_over_when_the_first_has_ended(parts, log, make_log):
    _, (video_id, *_) = some_videos(parts)
    log.appender.append([watch(5, video_id)])
    second = make_log()
    time.sleep(0.3)
    with pytest.raises(Unavailable, match="Another process"):
        second.appender.append([watch(5, video_id)])
    log.appender.stop()
    with pytest.raises(Unavailable, match="stopping"):
        log.appender.append([watch(5, video_id)])
    second.wait().appender.append([watch(6, video_id)])
    assert log_rows(parts, "seq", "viewer_id") == [(1, 5), (2, 6)]


def test_a_connection_lost_while_nothing_happens_is_made_again(parts, log):
    _, (video_id, *_) = some_videos(parts)
    log.appender.append([watch(5, video_id)])
    _end(parts)
    log.appender.append([watch(6, video_id)])
    assert log_rows(parts, "seq", "viewer_id") == [(1, 5), (2, 6)]
    assert log.loads == 1


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_connection_lost_in_the_commit_loses_nothing_and_doubles_nothing(
    parts, log, monkeypatch, is_committed
):
    _, (video_id, *_) = some_videos(parts)
    real, calls = write.insert, list[int]()

    def insert(connection, batch, found):
        calls.append(len(batch))
        if len(calls) > 1:
            real(connection, batch, found)
            return
        if is_committed:
            real(connection, batch, found)
        _end(parts)
        connection.execute("SELECT 1")  # what the caller sees is the lost connection

    monkeypatch.setattr(write, "insert", insert)
    log.appender.append([watch(5, video_id), watch(6, video_id)])
    assert len(calls) == (1 if is_committed else 2)
    assert log_rows(parts, "seq", "viewer_id") == [(1, 5), (2, 6)]
    assert [[one.seq for one in batch] for batch in log.applied] == [[1, 2]]
    assert totals(parts, video_id) == (2, 2, 19_000)
    assert log.loads == 1


def test_whoever_wrote_meanwhile_is_read_before_going_on(parts, log, monkeypatch):
    _, (video_id, *_) = some_videos(parts)
    log.appender.append([watch(5, video_id)])
    monkeypatch.setattr(appenders, "RETRY_S", 1.5)
    with psycopg.connect(parts.database.conninfo, autocommit=True) as other:
        _end(parts)
        other.execute("SELECT pg_advisory_lock(%s)", [appenders.LOG_LOCK])
        other.execute(
            "INSERT INTO signal SELECT 9, 2, day, at, video_id, kind, 0, 0, 0, false, 0, 0, 0, '',"
            " 1, '', 2 FROM signal"
        )
    log.wait()
    while log.loads < 2:
        time.sleep(0.01)
    log.wait().appender.append([watch(6, video_id)])
    assert log_rows(parts, "seq", "viewer_id") == [(1, 5), (2, 9), (3, 6)]
    assert log.loads == 2


def test_while_the_database_is_away_requests_are_told_so_and_nothing_is_written_later(
    parts, log, monkeypatch
):
    _, (video_id, *_) = some_videos(parts)
    monkeypatch.setattr(appenders, "REFUSE_AFTER_S", 0.3)
    real = appenders.connect

    def away(_):
        raise psycopg.OperationalError("no server there")

    monkeypatch.setattr(appenders, "connect", away)
    _end(parts)
    with pytest.raises(Unavailable, match="does not answer"):
        log.appender.append([watch(5, video_id)])
    began = time.monotonic()
    with pytest.raises(Unavailable):
        log.appender.append([watch(5, video_id)])
    assert time.monotonic() - began < 0.3
    monkeypatch.setattr(appenders, "connect", real)
    log.wait().appender.append([watch(6, video_id)])
    assert log_rows(parts, "viewer_id") == [6]


def test_a_frozen_region_takes_no_signal(parts, owner, log, monkeypatch):
    monkeypatch.setattr(appenders, "LOOK_EVERY_S", 0.05)
    _, (video_id, *_) = some_videos(parts)
    with psycopg.connect(owner, autocommit=True) as connection:
        role = conninfo_to_dict(parts.database.conninfo)["user"]
        connection.execute(f"REVOKE INSERT ON signal FROM {role}")
        with pytest.raises(Frozen):
            log.appender.append([watch(5, video_id)])
        assert log.appender.is_frozen
        assert log.appender.is_holder
        connection.execute(f"GRANT INSERT ON signal TO {role}")
    while log.appender.is_frozen:
        time.sleep(0.01)
    log.appender.append([watch(6, video_id)])
    assert log_rows(parts, "viewer_id") == [6]


def test_what_waits_at_a_stop_is_written(parts, log):
    _, (video_id, *_) = some_videos(parts)
    log.hold_up.clear()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(log.appender.append, [watch(n, video_id)]) for n in range(1, 5)]
        while not log_rows(parts):
            time.sleep(0.01)
        threading.Timer(0.2, log.hold_up.set).start()
        log.appender.stop()
        told = [future.exception() for future in futures]
    written = len(log_rows(parts))
    assert written == sum(error is None for error in told) == sum(map(len, log.applied)) == 4


def _end(parts):
    """End the appender's session, as a restart of the database does."""
    pid = backend_of(parts)
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
