"""The feed that learns, over HTTP."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text
from tests.social.factory import make_rendition, make_video

from reelm.feed import watch as watches
from reelm.feed.models import SignalRow
from reelm.feed.signals import Kind
from reelm.foundation import clock
from reelm.foundation.errors import Unavailable
from reelm.social.models import VideoCount
from reelm.web.api import feed as feed_api


@pytest.fixture
def post(join, parts, heard):
    """Post videos as somebody, and wait until the ranker has heard of them."""
    ids = dict[str, int]()

    def post(handle: str, *captions: tuple[str, ...], **fields: Any) -> list[str]:
        if handle not in ids:
            join(handle)
            with parts.transaction() as session:
                query = text("SELECT id FROM account WHERE handle = :handle")
                ids[handle] = session.scalar(query, {"handle": handle})
        made = []
        for tags in captions or ((),):
            with parts.transaction() as session:
                video_id = make_video(session, ids[handle], tags=tags, **fields)
                make_rendition(session, video_id, "360")
            made.append(str(video_id))
        if fields.get("audience", "public") in ("public", "followers"):
            heard(*made)
        return made

    post.ids = ids  # type: ignore[attr-defined]
    return post


def page(client, **query):
    answer = client.get("/api/feed", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page):
    return [video["id"] for video in page["videos"]]


def watch(client, video_id, watched_ms, loops=0):
    told = {"video_id": video_id, "watched_ms": watched_ms, "duration_ms": 10_000, "loops": loops}
    answer = client.post("/api/watches", json={"watches": [told]})
    assert answer.status_code == 204, answer.text


def log(parts, kind):
    with parts.transaction() as session:
        query = select(SignalRow).where(SignalRow.kind == kind).order_by(SignalRow.seq)
        return list(session.scalars(query))


def test_the_same_cursor_gives_the_same_page_and_one_impression_of_each(post, join, parts):
    post("bea_m", *[("cats",)] * 12)
    ada = join("ada_l")
    first = page(ada, limit=3)
    second = page(ada, limit=3, cursor=first["cursor"])
    assert page(ada, limit=3, cursor=first["cursor"]) == second
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(page, ada, limit=3, cursor=second["cursor"]) for _ in range(4)]
    assert len({tuple(ids(one.result())) for one in asked}) == 1
    shown = ids(first) + ids(second) + ids(asked[0].result())
    assert len(set(shown)) == 9
    rows = log(parts, Kind.IMPRESSION)
    assert sorted(row.video_id for row in rows) == sorted(map(int, shown))
    assert all(row.source and 0 < row.propensity <= 1 and row.surface == 1 for row in rows)


def test_tabs_and_hasty_swipes_never_meet_a_video_twice_until_all_were_seen(post, join):
    made = [video for n in range(6) for video in post(f"maker_{n}", *[(f"t{n}",)] * 10)]
    ada = join("ada_l")
    seen, lock, ended = [], threading.Lock(), threading.Event()

    def tab(_):
        cursor = dict[str, str]()
        while not ended.is_set():
            got = page(ada, limit=2, **cursor)
            cursor = {"cursor": got["cursor"]}
            if got["seen_again"]:
                ended.set()
                return got
            with lock:
                seen.extend(ids(got))
            for video in ids(got):
                watch(ada, video, 200)
        return None

    with ThreadPoolExecutor(4) as pool:
        again = [got for got in pool.map(tab, range(4)) if got]
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(made)
    assert again[0]["notice"]
    oldest = set(seen[:12])
    assert set(ids(again[0])) <= oldest, "those seen longest ago come first"


@pytest.mark.parametrize("cursor", ["x" * 32, "eW1oUzAAAAAAAAAAAAAAAAAAAAAAAAAA", "\x00"])
def test_a_forged_cursor_is_refused(post, client, cursor):
    post("bea_m")
    answer = client.get("/api/feed", params={"cursor": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]


def test_the_next_page_reflects_the_last_watch(post, client):
    for topic in range(8):
        for maker in range(3):
            post(f"maker_{topic}_{maker}", *[(f"topic{topic}",)] * 4)
    loved, finished, skipped = None, 0, 0
    while finished < 3:
        for video in page(client, limit=2)["videos"]:
            loved = loved or video["hashtags"]
            loves = video["hashtags"] == loved
            watch(client, video["id"], 10_000 if loves else 300)
            finished, skipped = finished + loves, skipped + (not loves)
    share = sum(v["hashtags"] == loved for v in page(client, limit=10)["videos"]) / 10
    assert share >= 2 / 8, "at least twice an eighth"


def test_views_are_counted_once_and_never_ones_own(post, join, parts):
    (video,) = post("bea_m")
    ada, bea = join("ada_l"), join("cleo_p")
    for client in (ada, ada, bea):
        watch(client, video, 9_900)
    watch(ada, video, 45_000, loops=3)
    watch(ada, video, 10**8)
    with parts.transaction() as session:
        count = session.get(VideoCount, int(video))
    assert (count.views, count.completions, count.watched_ms) == (2, 2, 19_800)
    rows = log(parts, Kind.WATCH)
    assert [row.watched_ms for row in rows] == [9_900, 9_900, 40_000, 10_000]
    assert all(row.long_view for row in rows)


def test_one_viewer_adds_one_view_in_a_sitting_and_another_in_the_next(
    post, join, parts, monkeypatch
):
    (video,) = post("bea_m")
    ada = join("ada_l")
    watch(ada, video, 0)  # swiped away before it began: none yet
    told = [{"video_id": video, "watched_ms": 100 + n} for n in range(60)]
    assert ada.post("/api/watches", json={"watches": told[:30]}).status_code == 204
    assert ada.post("/api/watches", json={"watches": told[30:]}).status_code == 204
    later = clock.now() + watches.ONE_VIEW_WITHIN
    views = [_views(parts, video)]
    monkeypatch.setattr(watches, "now", lambda: later)
    watch(ada, video, 200)
    views.append(_views(parts, video))
    assert views == [1, 2]
    assert len(log(parts, Kind.WATCH)) == 62


def test_a_watch_is_cut_to_what_a_day_and_the_video_allow(post, client, parts):
    (video,) = post("bea_m")
    watch(client, video, 604_800_000, loops=1_000_000)
    (row,) = log(parts, Kind.WATCH)
    assert (row.watched_ms, row.loops) == (1001 * row.duration_ms, 1000)
    (long,) = post("bea_m", duration_ms=3_600_000)
    watch(client, long, 604_800_000, loops=1_000_000)
    row = log(parts, Kind.WATCH)[-1]
    assert (row.watched_ms, row.loops) == (24 * 3_600_000, 24)


def _views(parts, video):
    with parts.transaction() as session:
        return session.get(VideoCount, int(video)).views


def test_one_meets_ones_own_new_video_first_and_others_meet_it_too(post, join, client):
    post("bea_m", *[("cats",)] * 5)
    ada = join("ada_l")
    assert len(page(ada, limit=2)["videos"]) == 2
    post.ids["ada_l"] = int(ada.get("/api/me").json()["id"])
    (own,) = post("ada_l", ("mine",))
    got = page(ada, limit=3)["videos"]
    assert (got[0]["id"], got[0]["source"]) == (own, "own")
    assert own in ids(page(client, limit=20))


def test_blocks_and_audiences_hold_for_what_was_picked(post, join):
    post("bea_m", *[("cats",)] * 3)
    (secret,) = post("cleo_p", audience="followers")
    ada = join("ada_l")
    assert secret not in ids(page(ada, limit=20))
    assert ada.post("/api/accounts/cleo_p/follow").status_code == 200
    assert ada.post("/api/accounts/bea_m/block").status_code in (200, 201, 204)
    assert ids(page(ada, limit=20)) == [secret]


def test_what_is_deleted_does_not_come(post, client, parts, live_feed):
    made = post("bea_m", *[("cats",)] * 4)
    with parts.transaction() as session:
        session.execute(text("DELETE FROM video WHERE id = :id"), {"id": int(made[0])})
    assert set(ids(page(client, limit=20))) == set(made[1:])


def test_without_the_ranker_what_is_popular_is_served_and_says_so(post, client, live_feed):
    made = post("bea_m", *[("cats",)] * 4)

    def refuse(_):
        raise Unavailable("The feed is being loaded.")

    live_feed.recommend = refuse
    got = page(client)
    assert set(ids(got)) == set(made)
    assert (got["is_profiled"], got["notice"]) == (False, feed_api.NOT_READY)
    del live_feed.recommend
    assert page(client, cursor=got["cursor"])["is_profiled"] is True


def test_what_stands_in_for_the_feed_goes_on_from_page_to_page(
    post, client, join, live_feed, monkeypatch
):
    made = post("bea_m", *[("cats",)] * 6)
    ada = join("ada_l")
    monkeypatch.setattr(live_feed.holder._catch_up, "is_done", False)
    for who in (client, ada):
        first = page(who, limit=3)
        second = page(who, limit=3, cursor=first["cursor"])
        assert set(ids(first) + ids(second)) == set(made)
        why = who.get(f"/api/videos/{ids(first)[0]}/why", params={"source": "popular"})
        assert (why.status_code, why.json()["is_profiled"]) == (200, False)
    assert ada.patch("/api/feed/settings", json={"is_profiled": False}).status_code == 200
    assert page(ada, cursor=first["cursor"])["is_profiled"] is False


def test_while_it_learns_nothing_claims_that_the_feed_is_made_from_what_one_watches(
    post, client, live_feed, parts, monkeypatch
):
    (video,) = post("bea_m", ("cats",))
    assert "Just now the feed does not use" not in client.get("/how-the-feed-works").text
    monkeypatch.setattr(live_feed.holder._catch_up, "is_done", False)
    assert "Just now the feed does not use" in client.get("/how-the-feed-works").text
    assert client.get("/api/region").json()["model"] is None
    got = page(client)
    assert (ids(got), got["is_profiled"]) == ([video], False)
    watch(client, video, 5_000)
    assert log(parts, Kind.WATCH), "it is in the log all the same"
    assert client.get(f"/api/videos/{video}/why").json()["is_profiled"] is False
    assert "learns from this region" in client.get("/api/feed/model").json()["detail"]


def test_a_watch_that_cannot_be_written_is_refused_so_that_the_page_sends_it_again(
    post, client, live_feed
):
    (video,) = post("bea_m")

    def refuse(_):
        raise Unavailable("The log cannot be written.")

    live_feed.observe = refuse
    answer = client.post("/api/watches", json={"watches": [{"video_id": video, "watched_ms": 5}]})
    assert answer.status_code == 503


def test_more_watches_than_a_page_has_are_refused(client):
    many = [{"video_id": "12345", "watched_ms": 1}] * 101
    assert client.post("/api/watches", json={"watches": many}).status_code == 400


def test_where_all_is_hidden_it_says_so_and_is_not_called_new(post, client):
    empty = page(client)
    assert (empty["videos"], empty["notice"]) == ([], None)
    assert "This place is brand new" in client.get("/").text
    post("asha", ("demo",), ("demo", "rain"))
    client.post("/api/feed/hidden", json={"kind": "hashtag", "subject": "demo"})
    for _ in range(2):
        found = page(client)
        assert found["videos"] == []
        assert found["notice"].startswith("There are videos here, but none to show you")
    shown = client.get("/").text
    assert "There are videos here, but none to show you" in shown
    assert 'href="/settings/feed#hidden"' in shown
    assert "brand new" not in shown


@pytest.mark.parametrize("tab", ["for_you", "following", "popular"])
def test_an_empty_cursor_begins_anew(post, join, tab):
    post("asha", (), ())
    bo = join("bo_m")
    bo.post("/api/accounts/asha/follow")
    assert len(page(bo, tab=tab, cursor="")["videos"]) == 2
