"""The feed: no repeats, stable cursors, variety, whose videos come, and what comes at the end."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from tests.social.factory import make_account, make_video

from reelm import feed, social
from reelm.feed import catalogue, impressions
from reelm.feed.forget import forget_idle
from reelm.feed.moments import first_id_at
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid, RateLimited, Unauthenticated
from reelm.foundation.ids import new_id
from reelm.social.models import VideoCount
from reelm.videos.models import Video


def _ids(page: feed.Page) -> list[int]:
    return [shown.video_id for shown in page.videos]


@pytest.fixture
def ask(parts, session):
    """Ask for a page as an account (or as an anonymous viewer)."""

    def recommend(account_id=None, *, viewer_id=None, **wishes):
        viewer_id = viewer_id or account_id or new_id()
        return feed.recommend(session, parts, viewer_id=viewer_id, account_id=account_id, **wishes)

    return recommend


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch):
    monkeypatch.setattr(catalogue, "FRESH_S", -1.0)
    monkeypatch.setattr(catalogue, "POPULAR_S", -1.0)
    monkeypatch.setattr(catalogue, "POPULAR_SHARE", float("inf"))


def test_an_anonymous_viewer_meets_each_video_once_and_then_the_oldest_again(session, ask):
    creators = [make_account(session) for _ in range(5)]
    made = {make_video(session, creators[n % 5]) for n in range(23)}
    viewer, cursor, pages = new_id(), None, []
    for _ in range(4):
        page = ask(viewer_id=viewer, cursor=cursor)
        pages.append(page)
        cursor = page.cursor
    assert [len(page.videos) for page in pages] == [10, 10, 3, 10]
    assert [page.seen_again for page in pages] == [False, False, False, True]
    shown = [video for page in pages[:3] for video in _ids(page)]
    assert set(shown) == made
    assert _ids(pages[3]) == shown[:10]
    assert _ids(ask(viewer_id=viewer, cursor=cursor)) == shown[10:20]


def test_the_same_cursor_gives_the_same_answer(session, ask):
    creator = make_account(session)
    for _ in range(30):
        make_video(session, creator)
    viewer = new_id()
    first = ask(viewer_id=viewer)
    second = ask(viewer_id=viewer, cursor=first.cursor)
    third = ask(viewer_id=viewer, cursor=second.cursor)
    assert ask(viewer_id=viewer, cursor=first.cursor, limit=3) == second
    assert ask(viewer_id=viewer, cursor=second.cursor) == third
    assert len({*_ids(first), *_ids(second), *_ids(third)}) == 30


@pytest.mark.parametrize("forged", [
    "", "x", "é", "a" * 32, "A" * 500, "../../etc", "eQAAAAAAAAAB", "\x00", "%00", "====", "y" * 31,
])  # fmt: skip
@pytest.mark.parametrize("tab", ["for_you", "following"])
def test_a_forged_cursor_is_refused_in_one_sentence(session, ask, forged, tab):
    with pytest.raises(Invalid, match="ask again without a cursor"):
        ask(make_account(session), cursor=forged, tab=tab)


def test_a_cursor_of_another_viewer_tab_or_changed_by_one_bit_is_refused(session, ask):
    me, other = make_account(session), make_account(session)
    cursor = ask(me).cursor
    with pytest.raises(Invalid):
        ask(other, cursor=cursor)
    with pytest.raises(Invalid):
        ask(me, cursor=cursor, tab="following")
    for at in range(len(cursor)):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        with pytest.raises(Invalid):
            ask(me, cursor=changed)


def test_what_is_hidden_is_never_shown(session, ask):
    creator, blocker = make_account(session), make_account(session)
    closed = make_account(session, is_private=True)
    me = make_account(session)
    shown = make_video(session, creator)
    for audience in ("followers", "unlisted", "private"):
        make_video(session, creator, audience=audience)
    make_video(session, creator, state="processing")
    make_video(session, closed)
    make_video(session, blocker)
    social.block(session, blocker, me)
    assert _ids(ask(me)) == [shown]
    session.execute(update(Video).values(audience="private"))
    assert _ids(ask(me)) == []


def test_a_stale_catalogue_never_shows_what_was_hidden_meanwhile(session, ask, monkeypatch):
    creator = make_account(session)
    made = [make_video(session, creator) for _ in range(5)]
    monkeypatch.setattr(catalogue, "FRESH_S", 1000.0)
    assert set(_ids(ask())) == set(made)
    session.execute(update(Video).where(Video.id == made[0]).values(audience="private"))
    assert set(_ids(ask())) == set(made[1:])


def test_followers_videos_and_those_of_private_accounts_come_to_their_followers(session, ask):
    creator, closed = make_account(session), make_account(session, is_private=True)
    me = make_account(session)
    for followed in (creator, closed):
        social.follow(session, me, followed)
    social.accept_request(session, closed, me)
    made = {make_video(session, creator, audience="followers"), make_video(session, closed)}
    page = ask(me)
    assert set(_ids(page)) == made
    assert {shown.source for shown in page.videos} == {"following"}


def test_a_just_posted_own_video_comes_first_once(session, ask):
    me, other = make_account(session), make_account(session)
    for _ in range(12):
        make_video(session, other)
    make_video(session, me, age_h=48)
    uploaded = make_video(session, me, audience="private")
    first = ask(me, limit=5)
    assert not {shown.source for shown in first.videos} & {"own"}
    session.execute(update(Video).where(Video.id == uploaded).values(audience="public"))
    second = ask(me, limit=5, cursor=first.cursor)
    assert _ids(second)[0] == uploaded
    assert uploaded not in _ids(ask(me, limit=10))


def test_own_older_videos_come_only_when_nothing_else_is_left(session, ask):
    me, other = make_account(session), make_account(session)
    theirs, mine = make_video(session, other), make_video(session, me, age_h=48)
    make_video(session, me, age_h=48, audience="private")
    assert _ids(ask(me)) == [theirs]
    assert _ids(ask(me)) == [mine]
    again = ask(me)
    assert again.seen_again
    assert _ids(again) == [theirs, mine]


def test_creators_keep_their_distance_across_pages(session, ask):
    busy = make_account(session)
    for _ in range(40):
        make_video(session, busy)
    for _ in range(60):
        make_video(session, make_account(session), age_h=30)
    viewer, row, cursor = new_id(), [], None
    for _ in range(4):
        page = ask(viewer_id=viewer, cursor=cursor)
        row += _ids(page)
        cursor = page.cursor
    creator_of = {
        row[0]: row[1] for row in session.execute(text("SELECT id, account_id FROM video"))
    }
    creators = [creator_of[video_id] for video_id in row]
    for at in range(len(creators)):
        assert creators[at] not in creators[max(0, at - 4) : at]


def test_one_hashtag_does_not_fill_the_page(session, ask):
    for _ in range(30):
        make_video(session, make_account(session), tags=("cats",))
    for tag in ("food", "dance", "music"):
        for _ in range(6):
            make_video(session, make_account(session), tags=(tag,), age_h=24)
    page = ask(viewer_id=new_id())
    rows = session.execute(text("SELECT video_id, tag FROM video_hashtag"))
    tags = {found.video_id: found.tag for found in rows}
    row = [tags[video_id] for video_id in _ids(page)]
    assert len(set(row)) >= 3
    assert max(Counter(row[at : at + 5])["cats"] for at in range(6)) <= 3


def test_a_liked_and_finished_video_comes_before_one_that_is_left(session, ask):
    creators = [make_account(session) for _ in range(3)]
    good, usual, bad = (make_video(session, creator) for creator in creators)
    session.add(VideoCount(video_id=good, views=500, completions=400, likes=60))
    session.add(VideoCount(video_id=bad, views=500, completions=20, likes=0))
    session.flush()
    assert _ids(ask(viewer_id=new_id(), limit=3)) == [good, usual, bad]


def test_a_new_video_gets_its_place_beside_popular_ones(session, ask):
    for _ in range(30):
        video_id = make_video(session, make_account(session), age_h=1)
        session.add(VideoCount(video_id=video_id, views=5000, completions=4000, likes=600))
    session.flush()
    new = {make_video(session, make_account(session)) for _ in range(3)}
    page = ask(viewer_id=new_id())
    assert [shown.source for shown in page.videos].count("explore") == 2
    assert _ids(page)[4] in new


def test_the_following_tab_is_in_the_order_of_time_and_also_shows_what_was_seen(session, ask):
    creators = [make_account(session) for _ in range(3)]
    stranger, me = make_account(session), make_account(session)
    made = [make_video(session, creators[n % 3]) for n in range(25)]
    make_video(session, stranger)
    for creator in creators:
        social.follow(session, me, creator)
    ask(me)
    cursor, row = None, []
    for _ in range(3):
        page = ask(me, tab="following", cursor=cursor)
        assert ask(me, tab="following", cursor=cursor) == page
        row += _ids(page)
        cursor = page.cursor
    assert row == made[::-1]
    end = ask(me, tab="following", cursor=cursor)
    assert end.videos == ()
    assert end.cursor == cursor
    # What came there does not come in For You any more.
    assert ask(me).seen_again
    with pytest.raises(Unauthenticated):
        ask(tab="following")


def test_an_empty_region_gives_an_empty_page(ask):
    page = ask()
    assert page.videos == ()
    assert not page.seen_again


def test_a_catalogue_larger_than_the_kept_lists_is_shown_to_its_end(session, ask, monkeypatch):
    for name in ("FRESH", "POPULAR", "TRIALS"):
        monkeypatch.setattr(catalogue, name, 5)
    made = {make_video(session, make_account(session), age_h=n) for n in range(40)}
    viewer, row = new_id(), []
    for _ in range(8):
        row += _ids(ask(viewer_id=viewer, limit=5))
    assert set(row) == made
    assert len(row) == 40


def test_tabs_at_once_never_give_the_same_video(parts, monkeypatch):
    monkeypatch.setattr(catalogue, "FRESH_S", 0.05)
    with parts.transaction() as session:
        creators = [make_account(session) for _ in range(10)]
        made = {make_video(session, creators[n % 10]) for n in range(200)}
        me = make_account(session)
    given, faults = [], []

    def swipe(viewer_id, account_id):
        cursor = None
        try:
            while True:
                with parts.transaction() as session:
                    page = feed.recommend(
                        session,
                        parts,
                        viewer_id=viewer_id,
                        account_id=account_id,
                        limit=7,
                        cursor=cursor,
                    )
                if page.seen_again:
                    return
                cursor = page.cursor
                given.append((viewer_id, _ids(page)))
        except Exception as error:  # noqa: BLE001 - told by the main thread
            faults.append(error)

    anonymous = new_id()
    viewers = [(me, me), (me, me), (me, me), (anonymous, None), (anonymous, None)]
    tabs = [threading.Thread(target=swipe, args=viewer) for viewer in viewers]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(60)
    assert not faults
    for viewer_id in (me, anonymous):
        row = [video for viewer, ids in given if viewer == viewer_id for video in ids]
        assert len(row) == len(set(row))
        assert set(row) == made


def test_one_cursor_asked_by_two_at_once_gives_one_page(parts):
    with parts.transaction() as session:
        creator = make_account(session)
        for _ in range(60):
            make_video(session, creator)
        viewer = new_id()
        first = feed.recommend(session, parts, viewer_id=viewer, account_id=None)
    pages = []

    def fetch():
        with parts.transaction() as session:
            pages.append(
                feed.recommend(
                    session, parts, viewer_id=viewer, account_id=None, cursor=first.cursor
                )
            )

    tabs = [threading.Thread(target=fetch) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(30)
    assert len(pages) == 4
    assert len({page.videos for page in pages}) == 1
    assert len({page.cursor for page in pages}) == 1


def test_idle_anonymous_viewers_are_forgotten_and_accounts_are_not(parts):
    old = now() - timedelta(days=40)
    with parts.transaction() as session:
        creator = make_account(session)
        video_id = make_video(session, creator)
        me, idle, active = make_account(session), first_id_at(old), first_id_at(old) + 1
        for viewer_id in (me, idle, active, new_id()):
            feed.recommend(session, parts, viewer_id=viewer_id, account_id=None)
            told = [feed.Watched(video_id, 500, 10_000, 0, completed=False, muted=True)]
            feed.record_watches(session, viewer_id=viewer_id, account_id=None, watches=told)
        statement = text("UPDATE impression SET shown_at = :old WHERE viewer_id IN (:me, :idle)")
        session.execute(statement, {"old": old, "me": me, "idle": idle})
    assert forget_idle(parts) == 1
    with parts.transaction() as session:
        for table in ("impression", "watch"):
            left = set(session.scalars(text(f"SELECT viewer_id FROM {table}")))
            assert len(left) == 3
            assert idle not in left
        feed.forget_viewer(session, me)
        assert session.scalar(text("SELECT count(*) FROM watch")) == 2


def test_one_viewer_cannot_hold_what_others_need(parts, ask, monkeypatch):
    monkeypatch.setattr(impressions, "LONGEST_TURN_MS", 50)
    viewer_id = new_id()
    with parts.transaction() as other, pytest.raises(RateLimited):
        impressions.take_turn(other, viewer_id)
        with parts.transaction() as session:
            impressions.take_turn(session, viewer_id)
    assert ask(viewer_id=viewer_id).videos == ()
