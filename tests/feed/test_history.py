"""The history of watched videos, and what is left after parts or all of it are deleted."""

from sqlalchemy import Table, delete, func, select, update
from tests.feed.factory import log_signal
from tests.social.factory import make_account, make_video

from reelm.feed.hidden import hide
from reelm.feed.history import forget_watched, history
from reelm.feed.models import FeedSettings, SignalRow
from reelm.feed.reset import forget_signals, reset
from reelm.feed.signals import Kind
from reelm.foundation.database import Base
from reelm.foundation.ids import new_id
from reelm.videos.models import Video


def _rows(session, viewer_id):
    """Table name -> how many rows tell of this viewer."""
    tables: list[Table] = [t for t in Base.metadata.sorted_tables if "viewer_id" in t.columns]
    counts = {
        table.name: session.scalar(
            select(func.count()).select_from(table).where(table.c.viewer_id == viewer_id)
        )
        for table in tables
    }
    return {name: count for name, count in counts.items() if count}


def _watched(session, viewer_id, **page):
    found = history(session, viewer_id=viewer_id, account_id=None, **{"limit": 10} | page)
    return [watched.video_id for watched in found.videos], found.before_seq


def test_the_history_has_each_video_once_at_its_last_watch(session):
    creator, me, other = make_account(session), new_id(), new_id()
    a, b, c = (make_video(session, creator) for _ in range(3))
    for video_id in (a, b, a, c, b):
        log_signal(session, me, video_id, watched_ms=video_id % 1000)
    log_signal(session, me, c, Kind.IMPRESSION)
    log_signal(session, other, a)
    found, before = _watched(session, me, limit=2)
    assert found == [b, c]
    assert _watched(session, me, limit=2, before_seq=before) == ([a], None)
    whole = history(session, viewer_id=me, account_id=None, limit=10)
    assert [(w.card and w.card.id, w.watched_ms) for w in whole.videos] == [
        (video_id, video_id % 1000) for video_id in (b, c, a)
    ]


def test_a_video_that_is_gone_stays_in_the_history_without_its_card(session):
    me, video_id = new_id(), make_video(session, make_account(session))
    log_signal(session, me, video_id)
    session.execute(update(Video).values(audience="private"))
    (watched,) = history(session, viewer_id=me, account_id=None, limit=10).videos
    assert (watched.video_id, watched.card) == (video_id, None)


def test_one_video_is_forgotten_and_the_others_are_not(session):
    me, (a, b) = new_id(), (make_video(session, make_account(session)) for _ in range(2))
    for kind in (Kind.IMPRESSION, Kind.WATCH, Kind.LIKE):
        log_signal(session, me, a, kind)
        log_signal(session, me, b, kind)
    (told,) = forget_watched(session, viewer_id=me, video_id=a)
    assert (told.viewer_id, told.video_id, told.kind) == (me, a, Kind.FORGET_WATCH)
    assert set(session.scalars(select(SignalRow.video_id))) == {b}
    assert forget_watched(session, viewer_id=me, video_id=a) == [told]


def _lived_in(session, parts):
    me, creator = new_id(), make_account(session)
    log_signal(session, me, make_video(session, creator))
    session.add(FeedSettings(viewer_id=me, newness=0.9, topics=["cats"], is_profiled=True))
    session.flush()
    hide(session, parts, viewer_id=me, account_id=None, kind="creator", subject=str(creator))
    return me, creator


def _reset(session, viewer_id, **wish):
    """Reset, and do with the signals what the appender does."""
    told = reset(session, viewer_id=viewer_id, **wish)
    assert (told[0].viewer_id, told[0].video_id, told[0].kind) == (viewer_id, 0, Kind.RESET)
    session.execute(delete(SignalRow).where(SignalRow.viewer_id == viewer_id))
    return told[1:]


def test_a_reset_with_all_hidings_leaves_no_row_that_tells_the_viewer_from_a_new_one(
    session, parts
):
    me, _ = _lived_in(session, parts)
    assert set(_rows(session, me)) == {"signal", "feed_settings", "hidden_subject"}
    assert _reset(session, me, also_hidden=True) == []
    assert _rows(session, me) == _rows(session, new_id()) == {}


def test_a_reset_keeps_what_is_hidden_and_tells_it_anew(session, parts):
    me, creator = _lived_in(session, parts)
    (told,) = _reset(session, me, also_hidden=False)
    assert (told.kind, told.subject) == (Kind.HIDE_CREATOR, str(creator))
    assert _rows(session, me) == {"hidden_subject": 1}


def test_a_reset_never_switches_recording_or_profiling_on(session):
    for opt_out in ({"history_paused": True}, {"is_profiled": False}):
        me = new_id()
        session.add(FeedSettings(viewer_id=me, newness=0.9, languages=["hi"], **opt_out))
        session.flush()
        _reset(session, me, also_hidden=True)
        session.expire_all()
        row = session.get(FeedSettings, me)
        assert {name: getattr(row, name) for name in opt_out} == opt_out
        assert (row.newness, row.languages) == (0.5, [])


def test_deleting_the_whole_history_leaves_what_was_chosen(session, parts):
    me, creator = _lived_in(session, parts)
    told = forget_signals(session, viewer_id=me)
    assert [(signal.kind, signal.subject) for signal in told] == [
        (Kind.RESET, ""), (Kind.HIDE_CREATOR, str(creator)),
    ]  # fmt: skip
    assert session.get(FeedSettings, me).newness == 0.9
