"""What holds the ranker: loads it, keeps it true to the log, and forgets whom it has to."""

import time
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select, text
from tests.accounts.factory import signed_up
from tests.feed.log.factory import Counting, log_rows, shown, some_videos, watch
from tests.social.factory import make_account, make_video

from reelm import accounts
from reelm.accounts.models import Account
from reelm.feed import given, idle
from reelm.feed.holder import Holder
from reelm.feed.log import saving, snapshots
from reelm.feed.models import FeedSettings, HiddenSubject, RankerSnapshot
from reelm.feed.ranker import Ask
from reelm.feed.signals import Kind, Signal
from reelm.foundation.clock import now
from reelm.foundation.errors import Missing, Unavailable
from reelm.foundation.ids import new_id
from reelm.videos.models import Video


def made(state):
    return Counting() if state is None else Counting.from_state(state)


def until(look):
    end = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


@pytest.fixture
def hold(parts):
    running = []

    def begin(*, wait=True):
        holder = Holder(parts, made)
        holder.start()
        running.append(holder)
        if wait:
            until(lambda: holder.refusal is None)
        return holder

    yield begin
    for holder in running:
        holder.stop()


@pytest.fixture
def viewer(parts):
    with parts.transaction() as session:
        return make_account(session)


def _ask(viewer_id, limit=2, **more):
    return Ask(viewer_id, 0, limit, **more)


def _picked(holder, viewer_id, limit=2):
    return [pick.video_id for pick in holder.recommend(_ask(viewer_id, limit))]


def test_the_next_recommendation_knows_the_last_signal(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    assert _picked(holder, viewer, 1) == videos[:1]
    holder.observe([watch(viewer, videos[0])])
    assert _picked(holder, viewer, 1) == videos[1:2]


def test_what_one_tab_was_given_the_other_is_not(parts, hold, viewer, monkeypatch):
    _, videos = some_videos(parts, 6)
    holder = hold()
    assert _picked(holder, viewer) + _picked(holder, viewer) == videos[:4]
    assert _picked(holder, new_id()) == videos[:2]
    holder.observe([shown(viewer, videos[0])])
    monkeypatch.setattr(given, "RESERVED_S", -1.0)
    assert _picked(holder, viewer, 1) == videos[4:5]
    why = holder.why(viewer, videos[0])
    assert why == given.Why("newest", (("fresh", 1.0),))
    assert holder.why(viewer, 123) is None


def test_a_restart_goes_on_from_snapshot_and_log(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    holder.observe([watch(viewer, videos[0]), watch(viewer, videos[1])])
    holder.saving.save()
    holder.observe([watch(viewer, videos[2])])
    digest = holder.digest()
    holder.appender.stop()  # no snapshot at its end
    again = hold()
    assert again.digest() == digest
    assert [one.seq for one in snapshots.snapshots(parts)] == [2]
    again.observe([watch(viewer, videos[2])])
    assert log_rows(parts) == [1, 2, 3, 4]


def test_an_orderly_stop_leaves_nothing_to_replay(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    holder.observe([watch(viewer, videos[0])])
    digest = holder.digest()
    holder.stop()
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        connection.execute("DELETE FROM signal")
    assert hold().digest() == digest


@pytest.mark.parametrize("damaged", [1, 2])
def test_a_damaged_snapshot_is_passed_over_for_the_one_before(parts, hold, viewer, damaged, caplog):
    _, videos = some_videos(parts)
    holder = hold()
    for number in range(3):
        holder.observe([watch(viewer, videos[number])])
        holder.saving.save()
    digest = holder.digest()
    holder.stop()
    there = snapshots.snapshots(parts)
    assert [one.seq for one in there] == [3, 2]
    for one in there[:damaged]:
        path = parts.store.local_path(one.object)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    assert hold().digest() == digest
    assert caplog.text.count("other bytes than were written") == damaged


def test_a_snapshot_whose_object_is_lost_is_passed_over(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    holder.observe([watch(viewer, videos[0])])
    digest = holder.digest()
    holder.stop()
    for one in snapshots.snapshots(parts):
        parts.store.delete(one.object)
    assert hold().digest() == digest


def test_a_snapshot_of_another_version_is_passed_over(parts, hold, viewer, monkeypatch):
    _, videos = some_videos(parts)
    holder = hold()
    holder.observe([watch(viewer, videos[0])])
    digest = holder.digest()
    holder.stop()
    state = Counting().state()
    snapshots.save(parts, state._replace(header={**state.header, "version": 4}), 99)
    assert hold().digest() == digest


def test_two_snapshots_are_kept_and_their_objects_alone(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    for _ in range(4):
        holder.observe([watch(viewer, videos[0])])
        holder.saving.save()
    objects = {one.object for one in snapshots.snapshots(parts)}
    assert len(objects) == 2
    assert {one.key for one in parts.store.list("snapshots")} == objects
    orphan = parts.store.put_bytes("snapshots", b"of a process that was killed").key
    assert snapshots.remove_orphans(parts) == 0
    assert snapshots.remove_orphans(parts, timedelta(0)) == 1
    assert {one.key for one in parts.store.list("snapshots")} == objects
    assert orphan not in objects


def test_a_snapshot_is_made_when_something_changed_and_not_too_often(
    parts, hold, viewer, monkeypatch
):
    _, videos = some_videos(parts)
    monkeypatch.setattr("reelm.feed.holder.TICK_S", 60.0)
    holder = hold()
    monkeypatch.setattr(saving, "EVERY_S", 0.0)
    assert not holder.saving.look()
    holder.observe([watch(viewer, videos[0])])
    assert holder.saving.look()
    assert not holder.saving.look()
    holder.observe([watch(viewer, videos[0])])
    holder.saving._took_s = 3600.0
    assert not holder.saving.look()
    holder.saving._took_s = 0.0
    assert holder.saving.look()


def test_a_second_holder_waits_for_the_end_of_the_first(parts, hold, viewer):
    _, videos = some_videos(parts)
    first = hold()
    second = hold(wait=False)
    first.observe([watch(viewer, videos[0])])
    time.sleep(0.3)
    for verb in (
        lambda: second.observe([watch(viewer, videos[0])]),
        lambda: second.recommend(_ask(viewer)),
        lambda: second.known_of(viewer),
        lambda: second.forget(viewer),
    ):
        with pytest.raises(Unavailable, match="Another process"):
            verb()
    digest = first.digest()
    first.stop()
    until(lambda: second.refusal is None)
    assert second.digest() == digest


def test_new_changed_and_deleted_videos_reach_the_ranker_at_once(parts, hold, viewer):
    creator_id, (one, other, third) = some_videos(parts)
    holder = hold()
    ranker = holder._ranker
    with parts.transaction() as session:
        new = make_video(session, creator_id, tags=("cats", "dogs"), language="hi", sound_id=9)
        hidden = make_video(session, creator_id, audience="private")
        session.get_one(Video, one).audience = "followers"
        session.get_one(Video, other).audience = "unlisted"
        session.delete(session.get_one(Video, third))
    until(lambda: set(ranker.facts) == {one, new})
    assert ranker.facts[one].audience == "followers"
    facts = ranker.facts[new]
    assert (set(facts.tags), facts.language, facts.sound_id) == ({"cats", "dogs"}, "hi", 9)
    assert (facts.creator_id, facts.duration_ms, facts.audience) == (creator_id, 10_000, "public")
    with parts.transaction() as session:
        session.get_one(Video, hidden).audience = "public"
        session.get_one(Account, creator_id).is_private = True
    until(lambda: {f.audience for f in ranker.facts.values()} == {"followers"})
    assert set(ranker.facts) == {one, new, hidden}
    with parts.transaction() as session:
        session.get_one(Account, creator_id).state = "suspended"
    until(lambda: not ranker.facts)


def test_what_changed_while_nothing_was_heard_is_read_again(parts, hold, viewer):
    creator_id, (one, *_) = some_videos(parts)
    holder = hold()
    ranker = holder._ranker
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        pid = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            " AND datname = current_database()"
        ).fetchone()
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", pid)
        connection.execute("DELETE FROM video WHERE id = %s", [one])
    with parts.transaction() as session:
        new = make_video(session, creator_id)
    until(lambda: new in ranker.facts and one not in ranker.facts)


def test_a_reset_leaves_no_row_no_state_and_soon_no_snapshot(parts, hold, viewer, monkeypatch):
    _, videos = some_videos(parts)
    holder = hold()
    other = new_id()
    holder.observe([watch(viewer, videos[0]), watch(other, videos[0])])
    holder.saving.save()
    holder.saving.save()
    monkeypatch.setattr(saving, "SOON_S", 0.0)
    holder.forget(viewer)
    assert holder.known_of(viewer) == {}
    assert holder.known_of(other)
    until(lambda: log_rows(parts, "viewer_id", "kind") == [(other, Kind.WATCH)])
    for one in snapshots.snapshots(parts):
        assert viewer not in Counting.from_state(snapshots.load(parts, one)).viewers()
    digest = holder.digest()
    holder.appender.stop()
    assert hold().digest() == digest


def test_a_process_killed_after_a_reset_does_not_bring_the_viewer_back(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    holder.observe([watch(viewer, videos[0])])
    holder.saving.save()
    holder._stop.set()  # no more snapshots: as if it were killed
    holder._keeper.join()
    holder.forget(viewer)
    holder.observe([Signal(viewer, 0, Kind.HIDE_HASHTAG, subject="cats")])
    digest = holder.digest()
    holder.appender.stop()
    again = hold()
    assert again.digest() == digest
    assert again.known_of(viewer) == {"0": 1}
    again.saving.save()
    again.saving.save()
    assert log_rows(parts, "viewer_id", "kind") == [(viewer, Kind.HIDE_HASHTAG)]


def test_a_watch_deleted_from_the_history_is_named_by_no_row_once_snapshots_have_forgotten_it(
    parts, hold, viewer, monkeypatch
):
    _, videos = some_videos(parts)
    monkeypatch.setattr(saving, "SOON_S", 0.0)
    hold().observe([Signal(viewer, videos[0], Kind.FORGET_WATCH), watch(viewer, videos[1])])
    until(lambda: log_rows(parts, "video_id", "kind") == [(videos[1], Kind.WATCH)])


def _no_snapshot_holds(parts, viewer) -> bool:
    try:
        states = [snapshots.load(parts, one) for one in snapshots.snapshots(parts)]
    except Missing:
        return False  # it was replaced meanwhile
    return all(viewer not in Counting.from_state(state).viewers() for state in states)


def test_an_erasure_leaves_no_row_and_no_trace_in_the_snapshots(parts, hold, run_jobs, monkeypatch):
    _, videos = some_videos(parts)
    holder = hold()
    with parts.transaction() as session:
        viewer = signed_up(session, parts).account_id
        other = make_account(session)
        session.add(FeedSettings(viewer_id=viewer))
        for who, what in ((viewer, "1"), (other, str(viewer))):
            session.add(
                HiddenSubject(viewer_id=who, kind="creator", subject=what, created_at=now())
            )
    holder.observe([watch(viewer, videos[0]), watch(other, videos[0])])
    holder.observe([Signal(other, 0, Kind.PROFILE_VISIT, subject=str(viewer))])
    holder.saving.save()
    monkeypatch.setattr(saving, "SOON_S", 0.0)
    with parts.transaction() as session:
        accounts.erase_account(session, parts, viewer)
    run_jobs()
    until(lambda: not holder.known_of(viewer))
    holder.observe([watch(viewer, videos[1])])
    assert log_rows(parts, "viewer_id", "kind") == [(other, Kind.WATCH)]
    until(lambda: _no_snapshot_holds(parts, viewer))
    with parts.transaction() as session:
        assert session.scalars(select(FeedSettings)).all() == []
        assert session.scalars(select(HiddenSubject)).all() == []


def test_who_was_erased_while_no_process_ran_is_forgotten_at_the_start(parts, hold, run_jobs):
    _, videos = some_videos(parts)
    with parts.transaction() as session:
        viewer = signed_up(session, parts).account_id
    holder = hold()
    holder.observe([watch(viewer, videos[0])])
    holder.stop()
    with parts.transaction() as session:
        accounts.erase_account(session, parts, viewer)
    assert hold().known_of(viewer) == {}


def test_idle_anonymous_viewers_are_forgotten_and_accounts_are_not(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    idle_one, busy = new_id(), new_id()
    holder.observe([watch(who, videos[0]) for who in (idle_one, busy, viewer)])
    long_ago = int(time.time() * 1000) - int(idle.ANONYMOUS_IDLE.total_seconds() * 1000) - 1
    holder._active.note(idle_one, long_ago)
    holder._active.note(viewer, long_ago)
    assert holder.drop_idle() == 1
    assert holder._ranker.viewers() == sorted([busy, viewer])
    assert log_rows(parts, "viewer_id") == [busy, viewer]
    assert holder.drop_idle() == 0


def test_anonymous_viewers_who_were_idle_while_no_process_ran_are_forgotten(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    idle_one, busy = new_id(), new_id()
    holder.observe([watch(who, videos[0]) for who in (idle_one, busy, viewer)])
    holder.stop()
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        connection.execute("DELETE FROM signal WHERE viewer_id = %s", [idle_one])
    assert hold()._ranker.viewers() == sorted([busy, viewer])


def test_the_job_finds_what_a_killed_process_left_of_anonymous_viewers(parts, viewer):
    rows = [(new_id(), "3 hours"), (new_id(), "1 hour"), (new_id(), "5 days"), (viewer, "5 days")]
    with parts.transaction() as session:
        for seq, (who, ago) in enumerate(rows):
            session.execute(
                text(
                    "INSERT INTO signal SELECT :who, :seq, (now() - age)::date, now() - age, 1, 1,"
                    " 0, 0, 0, false, 0, 0, 0, '', 1, '', 1 FROM (SELECT CAST(:ago AS interval))"
                    " AS given (age)"
                ),
                {"who": who, "seq": seq, "ago": ago},
            )
    assert idle.forget_idle(parts) == 1
    assert log_rows(parts, "viewer_id") == [who for who, _ in rows[1:]]
    assert idle.forget_idle(parts, whole_log=True) == 1
    assert log_rows(parts, "viewer_id") == [rows[1][0], viewer]


def test_a_snapshot_says_its_digest_and_release(parts, hold, viewer):
    _, videos = some_videos(parts)
    holder = hold()
    holder.observe([watch(viewer, videos[0])])
    holder.saving.save()
    with parts.transaction() as session:
        row = session.scalars(select(RankerSnapshot)).one()
    assert row.object == f"snapshots/{row.digest[:2]}/{row.digest}"
    assert (row.seq, bool(row.release)) == (1, True)
