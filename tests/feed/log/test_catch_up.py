"""While a process learns from the log, the log is written on, and nothing is recommended."""

import threading

import psycopg
import pytest
from sqlalchemy import text
from tests.feed.log.factory import Counting, log_rows, shown, some_videos, watch
from tests.feed.log.test_holder import until

from reelm.feed.holder import Holder
from reelm.feed.log import replay, saving, snapshots
from reelm.feed.log.catch_up import CatchUp
from reelm.feed.ranker import Ask
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Unavailable
from reelm.foundation.ids import new_id

SIGNALS = 60


@pytest.fixture
def gate(monkeypatch):
    """Holders learn as many batches of the log as this is released by."""
    gate, learn = threading.Semaphore(0), CatchUp._learn_from

    def gated(catch_up, batch):
        while not catch_up._stop.is_set():
            if gate.acquire(timeout=0.01):
                learn(catch_up, batch)
                return

    monkeypatch.setattr(CatchUp, "_learn_from", gated)
    return gate


@pytest.fixture
def hold(parts):
    running = []

    def begin(kind=Counting):
        holder = Holder(parts, lambda state: kind() if state is None else kind.from_state(state))
        holder.start()
        running.append(holder)
        return holder

    yield begin
    for holder in running:
        holder.stop()


@pytest.fixture
def log(parts, hold):
    """A log of some batches, and the digest of what was learned from it as it came."""
    viewer, (video, *_) = some_videos(parts)
    holder = hold()
    until(lambda: holder.refusal is None)
    for _ in range(SIGNALS // 2):
        holder.observe([shown(viewer, video), watch(viewer, video)])
    holder.appender.stop()  # no snapshot at its end
    holder.stop()
    for one in snapshots.snapshots(parts):
        snapshots.forget(parts, [one])
    return viewer, video, holder.digest()


def begun(hold, gate, batches):
    """Return a holder that has learned so many batches of the log."""
    holder = hold()
    until(lambda: holder.is_holder)
    gate.release(batches)
    until(lambda: holder._catch_up.is_loaded and holder._ranker.batches == batches)
    return holder


def test_what_is_learned_anew_is_what_was_learned_as_it_came(hold, log, gate):
    _, _, digest = log
    gate.release(SIGNALS)
    holder = hold()
    until(lambda: holder.refusal is None)
    assert holder.digest() == digest
    assert holder.learned() == 1.0


def test_signals_are_written_while_the_log_is_learned_and_come_in_their_place(
    parts, hold, log, gate
):
    viewer, video, _ = log
    holder = begun(hold, gate, 10)
    for at in range(5):
        holder.observe([watch(viewer, video, watched_ms=at)])
    assert log_rows(parts) == list(range(1, SIGNALS + 6))
    assert holder._ranker.batches == 10
    for verb in (
        lambda: holder.recommend(Ask(viewer, 0)),
        lambda: holder.known_of(viewer),
        lambda: holder.why(viewer, video),
    ):
        with pytest.raises(Unavailable, match="learns from this region"):
            verb()
    gate.release(1000)
    until(lambda: holder.refusal is None)
    holder.observe([watch(viewer, video)])
    digest = holder.digest()
    holder.appender.stop()
    again = hold()
    until(lambda: again.refusal is None)
    assert again.digest() == digest, "each batch was learned once, in the order of the log"


def test_how_far_it_came_is_told_and_kept_over_a_restart(parts, hold, log, gate):
    holder = begun(hold, gate, 15)
    until(lambda: holder._catch_up.share == 0.5)
    assert holder.learned() == 0.5
    holder.stop()
    assert snapshots.snapshots(parts)[0].seq == 30
    again = hold()
    until(lambda: again._catch_up.is_loaded)
    assert again.learned() == 0.5
    gate.release(1000)
    until(lambda: again.refusal is None)
    assert again.digest() == log[2]


def test_a_kill_loses_no_more_than_was_learned_since_the_last_snapshot(
    parts, hold, log, gate, monkeypatch
):
    monkeypatch.setattr(saving, "EVERY_S", 0.0)
    monkeypatch.setattr(saving, "SHARE", 1.0)
    holder = begun(hold, gate, 15)
    until(lambda: snapshots.snapshots(parts) and snapshots.snapshots(parts)[0].seq == 30)
    assert holder.learned() < 1


def test_who_asks_to_be_forgotten_meanwhile_is_forgotten_at_once_and_at_the_end(
    parts, hold, log, gate, monkeypatch
):
    viewer, _, _ = log
    monkeypatch.setattr(saving, "SOON_S", 0.0)
    holder = begun(hold, gate, 10)
    assert holder._ranker.viewers() == [viewer]
    holder.forget(viewer)
    assert holder._ranker.viewers() == []
    gate.release(1000)
    until(lambda: holder.refusal is None)
    assert holder.known_of(viewer) == {}


def test_idle_viewers_stay_in_the_log_until_all_of_it_is_learned(parts, hold, log, gate):
    # Seen from the middle of the log everybody has been idle for long.
    anonymous = new_id()
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO signal SELECT %s, seq + 100, day, at - interval '3 hours', video_id, kind,"
            " 0, 0, 0, false, 0, 0, 0, '', 1, '', seq + 100 FROM signal WHERE seq <= 20",
            [anonymous],
        )
    holder = begun(hold, gate, 40)
    holder._look_at = 0.0
    holder._look_after()
    assert log_rows(parts, "viewer_id").count(anonymous) == 20
    gate.release(1000)
    until(lambda: holder.refusal is None)
    assert anonymous not in log_rows(parts, "viewer_id")


def test_a_batch_that_cannot_be_learned_is_passed_over(parts, hold, log, caplog):
    class Failing(Counting):
        def observe(self, batch):
            if batch[0].seq == 5:
                raise ValueError("no")
            super().observe(batch)

    holder = hold(Failing)
    until(lambda: holder.refusal is None)
    assert holder._ranker.batches == SIGNALS // 2 - 1
    assert "could not be learned" in caplog.text


def test_a_lost_connection_is_made_again(parts, hold, log, gate, monkeypatch):
    monkeypatch.setattr("reelm.feed.log.catch_up.RETRY_S", 0.05)
    monkeypatch.setattr(replay, "AT_ONCE", 7)
    holder = begun(hold, gate, 4)
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE"
            " application_name = 'reelm feed' AND datname = current_database()"
        )
    gate.release(1000)
    until(lambda: holder.refusal is None)
    assert holder.digest() == log[2]


def test_a_number_is_not_given_twice_though_its_row_is_gone(parts, hold, log):
    viewer, video, _ = log
    holder = hold()
    until(lambda: holder.refusal is None)
    holder.stop()
    with parts.transaction() as session:
        session.execute(text("DELETE FROM signal"))
    again = hold()
    until(lambda: again.refusal is None)
    again.observe([Signal(viewer, video, Kind.LIKE)])
    assert log_rows(parts) == [SIGNALS + 1]


def test_batches_are_read_whole_however_many_are_fetched(parts, log, monkeypatch):
    monkeypatch.setattr(replay, "AT_ONCE", 7)
    read, seq = [], 0
    with psycopg.connect(parts.database.conninfo) as connection:
        while batches := replay.batches_after(connection, seq):
            read += batches
            seq = batches[-1][-1].seq
        assert [len(batch) for batch in read] == [2] * (SIGNALS // 2)
        assert read == list(replay.replayed(connection, 0))
