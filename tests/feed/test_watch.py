"""Watches: counted once, cut to what is possible, and harmless when wrong."""

import pytest
from sqlalchemy import select, text
from tests.social.factory import make_account, make_video

from reelm import feed, social
from reelm.foundation.errors import TooLarge
from reelm.foundation.ids import new_id
from reelm.social.models import VideoCount


def _watched(video_id, watched_ms=8_000, **told):
    values = {"duration_ms": 10_000, "loops": 0, "completed": False, "muted": False} | told
    return feed.Watched(video_id, watched_ms, **values)


def _totals(session, video_id):
    columns = (VideoCount.views, VideoCount.completions, VideoCount.watched_ms)
    row = session.execute(select(*columns).where(VideoCount.video_id == video_id)).one_or_none()
    return None if row is None else tuple(row)


@pytest.fixture
def tell(session):
    def record(*watches: feed.Watched, viewer_id=None, account_id=None):
        return feed.record_watches(
            session,
            viewer_id=viewer_id or account_id or new_id(),
            account_id=account_id,
            watches=watches,
        )

    return record


def test_watches_add_up_to_the_totals(session, tell):
    video_id = make_video(session, make_account(session))
    tell(_watched(video_id), _watched(video_id, 9_900, completed=True))
    tell(_watched(video_id, 25_000, loops=2, completed=True))
    assert _totals(session, video_id) == (3, 2, 42_900)


def test_the_same_beacon_twice_counts_once(session, tell):
    video_id, viewer = make_video(session, make_account(session)), new_id()
    assert tell(_watched(video_id), _watched(video_id), viewer_id=viewer) == 1
    assert tell(_watched(video_id), viewer_id=viewer) == 0
    assert tell(_watched(video_id, 8_001), viewer_id=viewer) == 1
    assert tell(_watched(video_id)) == 1
    assert _totals(session, video_id) == (3, 0, 24_001)


def test_impossible_times_are_cut_to_the_true_length(session, tell):
    video_id = make_video(session, make_account(session))
    tell(_watched(video_id, 10**9, duration_ms=10**9, loops=1))
    assert _totals(session, video_id) == (1, 0, 20_000)
    tell(_watched(video_id, 100, completed=True))
    assert _totals(session, video_id) == (2, 0, 20_100)
    tell(_watched(video_id, 10**12, loops=10**9, completed=True))
    views, completions, watched_ms = _totals(session, video_id)
    assert (views, completions, watched_ms) == (3, 1, 20_100 + 1001 * 10_000)


def test_unknown_and_hidden_videos_are_passed_over(session, tell):
    creator, me = make_account(session), make_account(session)
    seen = make_video(session, creator)
    hidden = make_video(session, creator, audience="private")
    unready = make_video(session, me, state="processing")
    told = [_watched(video_id) for video_id in (12345, hidden, unready, seen)]
    assert tell(*told, account_id=me) == 1
    assert _totals(session, hidden) is None
    assert tell() == 0


def test_ones_own_watch_is_no_view(session, tell):
    me = make_account(session)
    video_id = make_video(session, me)
    assert tell(_watched(video_id), account_id=me) == 1
    assert _totals(session, video_id) is None


def test_a_swipe_before_the_first_frame_is_no_view(session, tell):
    video_id = make_video(session, make_account(session))
    assert tell(_watched(video_id, 0)) == 1
    assert _totals(session, video_id) == (0, 0, 0)


def test_a_video_opened_by_its_address_does_not_come_in_the_feed_again(session, parts, tell):
    video_id, viewer = make_video(session, make_account(session)), new_id()
    tell(_watched(video_id, 0), viewer_id=viewer)
    page = feed.recommend(session, parts, viewer_id=viewer, account_id=None)
    assert page.seen_again


def test_more_than_a_hundred_at_once_are_refused(session, tell):
    with pytest.raises(TooLarge, match="At most 100"):
        tell(*[_watched(1, n) for n in range(101)])


def test_counting_keeps_the_likes(session, tell):
    creator, me = make_account(session), make_account(session)
    video_id = make_video(session, creator)
    social.like(session, me, video_id)
    tell(_watched(video_id), account_id=me)
    row = session.execute(text("SELECT likes, views FROM video_count")).one()
    assert tuple(row) == (1, 1)
