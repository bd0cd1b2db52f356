"""The feed without a profile: what it shows, that it does not repeat, and what it never reads."""

import re
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, event, select, text, update
from tests.feed.factory import count_views, log_signal
from tests.social.factory import make_account, make_video

from reelm import social
from reelm.feed import popularity as ranking
from reelm.feed.following import following
from reelm.feed.hidden import hide
from reelm.feed.models import FeedSettings, SignalRow
from reelm.feed.topics import Offers
from reelm.feed.unprofiled import popular
from reelm.foundation.clock import now
from reelm.foundation.database import Base
from reelm.foundation.errors import Invalid
from reelm.foundation.ids import new_id
from reelm.social.models import Follow
from reelm.videos.models import Video

KEY = b"k" * 32
topics = Offers(lambda: False).topics


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch):
    monkeypatch.setattr(ranking, "POOL_S", -1.0)
    monkeypatch.setattr(ranking, "POOL_SHARE", float("inf"))


@pytest.fixture
def ask(session):
    return lambda **wishes: popular(session, KEY, **{"limit": 10} | wishes)


def _ids(page):
    return [video.video_id for video in page.videos]


def _read_through(ask, **wishes):
    """Read until everything was seen; return all pages."""
    pages = [ask(**wishes)]
    while not (page := ask(cursor=pages[-1].cursor)).seen_again:
        pages.append(page)
    return pages


def _filled(session, count, **fields):
    creators = [make_account(session) for _ in range(5)]
    return [make_video(session, creators[n % 5], **fields) for n in range(count)]


# What it shows


def test_each_video_comes_once_until_all_were_seen(session, ask):
    made = _filled(session, 47)
    pages = _read_through(ask)
    seen = [video_id for page in pages for video_id in _ids(page)]
    assert sorted(seen) == sorted(made)
    again = ask(cursor=pages[-1].cursor)
    assert again.seen_again
    assert len(again.videos) == 10


def test_nothing_repeats_while_views_come_in_and_videos_go_up(session, ask):
    made = _filled(session, 60, age_h=200)
    for n, video_id in enumerate(made):
        count_views(session, video_id, n % 7)
    page, seen = ask(), []
    for round_ in range(8):
        seen += _ids(page)
        # What was shown is watched, and so is one that was not; new ones are posted.
        for video_id in [*_ids(page), made[round_]]:
            count_views(session, video_id, 50 * (round_ + 1))
        _filled(session, 5)
        page = ask(cursor=page.cursor)
        if page.seen_again:
            break
    assert max(Counter(seen).values()) == 1


def test_the_most_watched_come_first_and_old_hits_fade(session, ask):
    creator = make_account(session)
    hit, old_hit, dud = (make_video(session, creator, age_h=age) for age in (200, 20_000, 200))
    count_views(session, hit, 1000)
    count_views(session, old_hit, 200)
    assert _ids(ask()) == [hit, dud, old_hit]


def test_what_is_as_popular_comes_in_random_order(session, ask):
    made = _filled(session, 4, age_h=200)
    firsts = Counter(_ids(ask())[0] for _ in range(200))
    assert set(firsts) == set(made)
    assert min(firsts.values()) > 20


def test_new_videos_get_places_by_chance_though_nobody_has_watched_them(session, ask):
    old, new = _filled(session, 40, age_h=500), _filled(session, 40)
    for video_id in old:
        count_views(session, video_id, 100_000)
    shown = Counter[int]()
    for _ in range(60):
        page = ask()
        fresh = [video for video in page.videos if video.video_id in new]
        assert {video.source for video in fresh} <= {"new"}
        shown.update(video.video_id for video in fresh)
    assert 60 <= shown.total() <= 120  # one place in five; a lot may be empty
    assert len(shown) > 30


def test_topic_and_language_are_what_was_asked_for(session, ask):
    creator = make_account(session)
    wanted = make_video(session, creator, tags=("cats", "fun"), language="hi")
    make_video(session, creator, tags=("cats",), language="en")
    make_video(session, creator, tags=("dogs",), language="hi")
    assert _ids(ask(topic="#Cats", language="hi")) == [wanted]
    page = ask(topic="cats", limit=1)
    assert page.topic == "cats"
    # The cursor names the choice; what is said beside it does not count.
    assert ask(cursor=page.cursor, topic="dogs").topic == "cats"
    assert _ids(ask(topic="nothing")) == []


def test_beyond_the_pool_the_rest_follows_by_age(session, ask, monkeypatch):
    monkeypatch.setattr(ranking, "POOL", 10)
    made = _filled(session, 35, age_h=300)
    pages = _read_through(ask)
    seen = [video_id for page in pages for video_id in _ids(page)]
    assert set(seen[:10]) == set(made[25:])
    assert sorted(seen[10:], reverse=True) == made[24::-1]
    assert {video.source for video in pages[-1].videos} == {"rest"}


def test_a_creators_videos_do_not_stand_beside_each_other(session, ask):
    made = _filled(session, 10, age_h=300)
    creators = dict(session.execute(select(Video.id, Video.account_id)).all())
    row = [creators[video_id] for video_id in _ids(ask())]
    assert len(row) == len(made)
    assert sum(one == other for one, other in pairwise(row)) <= 1


def test_what_is_not_public_never_comes(session, ask):
    creator = make_account(session)
    for audience in ("followers", "unlisted", "private"):
        make_video(session, creator, audience=audience)
    make_video(session, creator, state="processing")
    make_video(session, make_account(session, is_private=True))
    assert _ids(ask()) == []
    assert topics(session).topics == ()


@pytest.mark.parametrize("forged", ["", "x", "é", "A" * 40, "A" * 5000, "====", "\x00"])
def test_a_forged_cursor_is_refused(ask, forged):
    with pytest.raises(Invalid, match="ask again without a cursor"):
        ask(cursor=forged)


def test_a_changed_cursor_is_refused(session, ask):
    _filled(session, 12)
    cursor = ask(limit=3).cursor
    for at in range(len(cursor)):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        with pytest.raises(Invalid):
            ask(cursor=changed)
    for spelled in (cursor + "=", cursor + "!", " " + cursor):
        with pytest.raises(Invalid):
            ask(cursor=spelled)
    with pytest.raises(Invalid):
        popular(session, b"another region" * 3, limit=3, cursor=cursor)


def test_following_has_all_videos_of_followed_creators_in_the_order_of_time(session):
    me, ada, bea = (make_account(session) for _ in range(3))
    session.add(Follow(account_id=me, creator_id=ada, state="accepted", created_at=now()))
    session.flush()
    made = [make_video(session, (ada, bea)[n % 2]) for n in range(10)]
    first = following(session, KEY, account_id=me, limit=3)
    then = following(session, KEY, account_id=me, limit=3, cursor=first.cursor)
    assert [*first.video_ids, *then.video_ids] == made[8::-2]
    with pytest.raises(Invalid):
        following(session, KEY, account_id=ada, limit=3, cursor=first.cursor)


def test_topics_are_the_most_used_of_a_language(session):
    creator = make_account(session)
    for n in range(3):
        make_video(session, creator, tags=("cats", f"t{n}"), language="hi")
    make_video(session, creator, tags=("dogs",), language="en")
    offer = topics(session)
    assert (offer.topics[0].name, offer.topics[0].videos) == ("cats", 3)
    assert [(used.name, used.videos) for used in offer.languages] == [("hi", 3), ("en", 1)]
    assert [used.name for used in topics(session, "en").topics] == ["dogs"]


# What it never reads

# Every table that names a viewer, whatever is added later. Whom an account follows and blocks is
# social, and decides what may be shown to it.
STATE = {t.name for t in Base.metadata.sorted_tables if "viewer_id" in t.columns}


@contextmanager
def nothing_of_the_viewer(session, viewer_id):
    """Fail if a statement names a table of viewers' state, or is given the viewer's id."""
    touched = []

    def look(_connection, _cursor, statement, parameters, _context, _many):
        words = set(re.findall(r"\w+", statement.lower()))
        named = {word for word in words if word in STATE or re.fullmatch(r"signal_\w+", word)}
        if named or str(viewer_id) in re.findall(r"\d+", repr(parameters)):
            touched.append((sorted(named), statement))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", look)
    assert not touched, f"state of the viewer was touched: {touched[0]}"


@pytest.fixture
def somebody(session, parts):
    """A viewer with all that can be held of one, and videos to show."""
    me, creator = new_id(), make_account(session)
    for n in range(30):
        log_signal(session, me, make_video(session, creator, tags=("cats",), language=f"a{n % 3}"))
    session.add(FeedSettings(viewer_id=me, topics=["dogs"], languages=["hi"], is_profiled=False))
    session.flush()
    hide(session, parts, viewer_id=me, account_id=None, kind="hashtag", subject="cats")
    return me


def _the_whole_path(session):
    page = popular(session, KEY, limit=10, topic="cats")
    page = popular(session, KEY, limit=10, cursor=page.cursor)
    social.cards(session, None, _ids(page))
    topics(session, "hi")
    return page


def test_the_path_touches_no_state_of_the_viewer(session, somebody):
    assert {"signal", "feed_settings", "hidden_subject"} <= STATE
    with nothing_of_the_viewer(session, somebody):
        assert len(_the_whole_path(session).videos) == 10


def test_following_touches_only_whom_the_account_follows(session):
    me = make_account(session)
    log_signal(session, me, make_video(session, make_account(session)))
    statements = []
    look = lambda *args: statements.append(args[2])  # noqa: E731
    event.listen(session.get_bind(), "before_cursor_execute", look)
    page = following(session, KEY, account_id=me, limit=10)
    social.cards(session, me, page.video_ids)
    event.remove(session.get_bind(), "before_cursor_execute", look)
    assert statements
    assert not {word for s in statements for word in re.findall(r"\w+", s)} & STATE


@pytest.mark.parametrize("planted", [
    lambda session, me: session.scalars(
        select(SignalRow.video_id).where(SignalRow.viewer_id == me)
    ).all(),
    lambda session, me: session.get(FeedSettings, me, populate_existing=True),
    lambda session, _: session.execute(text("SELECT count(*) FROM hidden_subject")),
    lambda session, me: log_signal(session, me, 1),
    lambda session, me: session.execute(text("SELECT :me"), {"me": me}),
    lambda session, me: session.execute(text("SELECT :me"), {"me": f"viewer {me}"}),
])  # fmt: skip
def test_a_planted_read_is_caught(session, somebody, planted):
    def popular_with_a_leak():
        planted(session, somebody)
        return _the_whole_path(session)

    with (
        pytest.raises(AssertionError, match="state of the viewer was touched"),
        nothing_of_the_viewer(session, somebody),
    ):
        popular_with_a_leak()


def test_the_same_seed_gives_two_viewers_the_same_page(session, somebody, ask, monkeypatch):
    monkeypatch.setattr("reelm.feed.unprofiled.secrets.randbits", lambda _: 7)
    page = ask(topic="cats")
    session.execute(update(FeedSettings).values(topics=["cats"], newness=1.0))
    session.execute(delete(SignalRow))
    assert _ids(ask(topic="cats")) == _ids(page)


def test_an_old_pool_is_used_while_another_thread_reads_it_again(session, ask, monkeypatch):
    monkeypatch.setattr(ranking, "POOL_S", 60.0)
    made = _filled(session, 3, published_at=now() - timedelta(hours=1))
    assert len(_ids(ask())) == 3
    _filled(session, 3, published_at=now() - timedelta(hours=1))
    assert sorted(_ids(ask())) == sorted(made)
