"""What viewers set, hide, read and have forgotten of the feed, over HTTP."""

import io
import json
import re
import time
import zipfile
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select, text
from tests.feed.factory import count_views
from tests.social.factory import make_rendition, make_video

from reelm.feed import popularity
from reelm.feed.models import SignalRow
from reelm.feed.ranker import Ask
from reelm.feed.signals import Kind, Signal, is_long_view
from reelm.foundation.database import Base


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch):
    monkeypatch.setattr(popularity, "POOL_S", -1.0)
    monkeypatch.setattr(popularity, "POOL_SHARE", float("inf"))


@pytest.fixture
def post(join, parts):
    """Post a video as Bea, who is there from the first video on."""
    bea = join("bea_m")

    def post(**fields):
        with parts.transaction() as session:
            video_id = make_video(session, _account(session, "bea_m"), **fields)
            make_rendition(session, video_id, "360")
        return str(video_id)

    post.client = bea  # type: ignore[attr-defined]
    return post


@pytest.fixture
def signals(parts):
    """What the log holds of somebody: kind, video and subject of each signal."""

    def read(handle):
        with parts.transaction() as session:
            query = select(SignalRow.kind, SignalRow.video_id, SignalRow.subject)
            rows = session.execute(
                query.where(SignalRow.viewer_id == _account(session, handle)).order_by(
                    SignalRow.seq
                )
            )
            return [(Kind(row.kind).name, str(row.video_id), row.subject) for row in rows]

    return read


def _account(session, handle):
    return session.scalar(text("SELECT id FROM account WHERE handle = :h"), {"h": handle})


def _watch(client, video_id, watched_ms=9000):
    told = {"video_id": video_id, "watched_ms": watched_ms, "duration_ms": 10_000}
    answer = client.post("/api/watches", json={"watches": [told]})
    assert answer.status_code == 204, answer.text


@pytest.fixture
def watched(live_feed):
    """Put a watch into the log as the viewer of a client, and return the viewer's id."""

    def watched(client, video_id, watched_ms=9000):
        viewer_id = int(client.get("/api/feed/model").json()["viewer_id"])
        live_feed.observe([
            Signal(
                viewer_id, int(video_id), Kind.WATCH, watched_ms=watched_ms, duration_ms=10_000,
                long_view=is_long_view(watched_ms, 10_000), surface=1,
            )
        ])  # fmt: skip
        return viewer_id

    return watched


# Settings


def test_settings_begin_in_the_middle_and_are_changed_one_by_one(client):
    first = client.get("/api/feed/settings").json()
    assert first == {
        "is_profiled": True, "may_be_profiled": True, "reason": None,
        "newness": 0.5, "variety": 0.5, "following": 0.5,
        "topics": [], "languages": [], "history_paused": False,
    }  # fmt: skip
    change = {"newness": 0.8, "topics": ["#Cats"], "is_profiled": False}
    answer = client.patch("/api/feed/settings", json=change)
    assert answer.status_code == 200, answer.text
    wanted = first | {"newness": 0.8, "topics": ["cats"], "is_profiled": False}
    assert answer.json() == client.get("/api/feed/settings").json() == wanted
    assert client.patch("/api/feed/settings", json={"is_profiled": None}).json()["is_profiled"]


@pytest.mark.parametrize("change", [
    {"newness": 2}, {"newness": "x"}, {"topics": "cats"}, {"topics": ["two words"]},
    {"languages": ["?"]}, {"history_paused": None}, {"unknown": 1},
])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(client, change):
    assert client.patch("/api/feed/settings", json=change).status_code == 400


def test_topics_and_languages_to_choose_from(client, post):
    post(tags=("cats",), language="hi")
    found = client.get("/api/feed/topics", params={"language": "hi"}).json()
    assert found["topics"] == [{"tag": "cats", "videos": 1}]
    assert found["languages"] == [{"language": "hi", "videos": 1}]


def test_a_hashtag_of_most_videos_is_no_choice(client, post):
    for tag in ("cats", "rain", "boats"):
        post(tags=("demo", tag), language="hi")
    shown = client.get("/settings/feed").text
    assert 'value="cats"' in shown
    assert 'value="demo"' not in shown


# The popular tab and what it reads


def test_the_popular_tab_is_read_to_its_end_by_cursors_alone(client, post, parts):
    made = [post(tags=("cats",)) for _ in range(7)]
    post(tags=("dogs",))
    with parts.transaction() as session:
        count_views(session, int(made[3]), 1000)
    seen, ask = [], {"tab": "popular", "topic": "cats", "limit": 3}
    while not (page := client.get("/api/feed", params=ask).json())["seen_again"]:
        assert page["is_profiled"] is False
        assert "not made from what you watch" in page["notice"]
        seen += [video["id"] for video in page["videos"]]
        client.cookies.clear()  # nobody needs to be remembered
        ask = {"tab": "popular", "limit": 3, "cursor": page["cursor"]}
    assert sorted(seen) == sorted(made)


STATE = {t.name for t in Base.metadata.sorted_tables if "viewer_id" in t.columns}


def _refuse(*given: object, **named: object) -> None:
    """Stand for each verb of the ranker; that there are no signals to write is all it hears."""
    assert given == ([],), "the ranker was asked"
    assert not named


@contextmanager
def only_what_all_may_see(parts):
    """Fail if a statement names a table of viewers' state, or the ranker is asked anything."""
    touched: list[str] = []

    def look(_connection, _cursor, statement, _parameters, _context, _many):
        touched.extend(set(re.findall(r"\w+", statement.lower())) & STATE)

    engine = parts.database.engine
    event.listen(engine, "before_cursor_execute", look)
    try:
        yield touched
    finally:
        event.remove(engine, "before_cursor_execute", look)


VERBS = ("observe", "recommend", "why", "known_of", "forget")


def test_the_popular_tab_touches_no_state_of_the_viewer(
    client, post, parts, live_feed, watched, monkeypatch
):
    video_id = post(tags=("cats",), language="hi")
    watched(client, video_id)
    client.patch("/api/feed/settings", json={"topics": ["dogs"], "is_profiled": True})
    for verb in VERBS:
        monkeypatch.setattr(live_feed, verb, _refuse)
    with only_what_all_may_see(parts) as touched:
        page = client.get("/api/feed", params={"tab": "popular", "topic": "cats"})
        assert [video["id"] for video in page.json()["videos"]] == [video_id]
        then = {"tab": "popular", "cursor": page.json()["cursor"]}
        assert client.get("/api/feed", params=then).status_code == 200
        asked = {"tab": "popular", "topic": "cats", "source": "new"}
        why = client.get(f"/api/videos/{video_id}/why", params=asked)
        assert "nothing else about you was used" in why.json()["sentence"]
    assert touched == []


def test_the_check_fails_when_state_is_read(client, post, parts, live_feed, monkeypatch):
    with only_what_all_may_see(parts) as touched:
        client.get("/api/feed/settings")
    assert touched == ["feed_settings"]
    for verb in VERBS:
        monkeypatch.setattr(live_feed, verb, _refuse)
    with pytest.raises(AssertionError, match="the ranker was asked"):
        client.get(f"/api/videos/{post()}/why")


def test_who_is_not_profiled_gets_the_popular_feed_and_leaves_no_row(join, post, signals):
    ada, video_id = join("ada_l"), post(tags=("cats",))
    ada.patch("/api/feed/settings", json={"is_profiled": False})
    page = ada.get("/api/feed").json()
    assert (page["is_profiled"], page["videos"][0]["id"]) == (False, video_id)
    ada.post("/api/accounts/bea_m/follow")
    assert ada.get("/api/feed", params={"tab": "following"}).json()["is_profiled"] is False
    _watch(ada, video_id)
    ada.post(f"/api/videos/{video_id}/like")
    told = {"signals": [{"kind": "share", "video_id": video_id}]}
    assert ada.post("/api/signals", json=told).status_code == 204
    assert signals("ada_l") == []
    assert ada.get(f"/api/videos/{video_id}").json()["views"] == 1


def test_blocks_hold_in_the_popular_tab(join, post):
    ada, video_id = join("ada_l"), post()
    assert ada.get("/api/feed", params={"tab": "popular"}).json()["videos"][0]["id"] == video_id
    post.client.post("/api/accounts/ada_l/block")
    assert ada.get("/api/feed", params={"tab": "popular"}).json()["videos"] == []


# Signals


def test_acts_are_written_to_the_log_before_they_are_answered(join, post, signals):
    ada, video_id = join("ada_l"), post()
    bea = ada.get("/api/accounts/bea_m").json()["id"]
    for _ in range(2):  # a second like or follow is none
        ada.post(f"/api/videos/{video_id}/like")
        ada.post("/api/accounts/bea_m/follow")
    ada.delete(f"/api/videos/{video_id}/like")
    ada.delete("/api/accounts/bea_m/follow")
    told = [
        {"kind": "comment_opened", "video_id": video_id},
        {"kind": "share", "video_id": video_id},
        {"kind": "profile_visit", "subject": bea, "video_id": video_id},
        {"kind": "share", "video_id": "12"},
    ]
    beacon = json.dumps({"signals": told})
    answer = ada.post("/api/signals", content=beacon, headers={"content-type": "text/plain"})
    assert answer.status_code == 204, answer.text
    report = {"target_kind": "video", "target_id": video_id, "reason": "spam"}
    assert ada.post("/api/reports", json=report).status_code == 201
    assert signals("ada_l") == [
        ("LIKE", video_id, ""), ("FOLLOW", "0", bea),
        ("UNLIKE", video_id, ""), ("UNFOLLOW", "0", bea),
        ("COMMENT_OPENED", video_id, ""), ("SHARE", video_id, ""),
        ("PROFILE_VISIT", video_id, bea), ("REPORT", video_id, ""),
    ]  # fmt: skip


def test_a_paused_history_writes_nothing_but_what_is_hidden(join, post, signals):
    ada, video_id = join("ada_l"), post()
    ada.patch("/api/feed/settings", json={"history_paused": True})
    _watch(ada, video_id)
    ada.post(f"/api/videos/{video_id}/like")
    ada.post("/api/feed/hidden", json={"kind": "video", "subject": video_id})
    assert [kind for kind, _, _ in signals("ada_l")] == ["NOT_INTERESTED"]


# Hide


def test_hiding_is_listed_over_pages_and_taken_back(client, post):
    video_id = post(tags=("cats",))
    creator = client.get(f"/api/videos/{video_id}").json()["creator"]["id"]
    for kind, subject in (("video", video_id), ("creator", creator), ("hashtag", "कुत्ता")):
        answer = client.post("/api/feed/hidden", json={"kind": kind, "subject": subject})
        assert answer.status_code == 201, answer.text
    first = client.get("/api/feed/hidden", params={"limit": 2}).json()
    then = client.get("/api/feed/hidden", params={"limit": 2, "cursor": first["cursor"]}).json()
    assert [e["name"] for e in first["hidden"] + then["hidden"]] == ["#कुत्ता", "bea_m", "#cats"]
    assert then["cursor"] is None
    assert client.delete("/api/feed/hidden/hashtag/कुत्ता").status_code == 204
    assert client.delete(f"/api/feed/hidden/creator/{creator}").status_code == 204
    assert [e["kind"] for e in client.get("/api/feed/hidden").json()["hidden"]] == ["video"]


@pytest.mark.parametrize("form", [
    {"kind": "planet", "subject": "1"}, {"kind": "video"}, {"kind": "video", "subject": ""},
    {"kind": "hashtag", "subject": "a b"}, {"kind": "creator", "subject": "bea_m"},
])  # fmt: skip
def test_what_cannot_be_hidden_is_refused(client, form):
    assert client.post("/api/feed/hidden", json=form).status_code == 400


@pytest.mark.parametrize("cursor", ["x", "WzFd", "é", "AAAA"])
def test_a_wrong_cursor_of_the_hidden_is_refused(client, cursor):
    assert client.get("/api/feed/hidden", params={"cursor": cursor}).status_code == 400


# History, reset, the model


def test_the_history_can_be_read_and_one_video_forgotten(join, post, watched, signals):
    ada = join("ada_l")
    a, b = post(), post()
    watched(ada, a)
    watched(ada, b, 4000)
    found = ada.get("/api/me/history").json()
    assert [w["video_id"] for w in found["watches"]] == [b, a]
    assert found["watches"][0]["video"]["id"] == b
    assert (found["watches"][0]["watched_ms"], found["watches"][0]["long_view"]) == (4000, False)
    first = ada.get("/api/me/history", params={"limit": 1}).json()
    then = ada.get("/api/me/history", params={"limit": 1, "cursor": first["cursor"]}).json()
    assert ([w["video_id"] for w in then["watches"]], then["cursor"]) == ([a], None)
    assert ada.delete(f"/api/me/history/{a}").status_code == 204
    assert [w["video_id"] for w in ada.get("/api/me/history").json()["watches"]] == [b]
    assert ("WATCH", a, "") not in signals("ada_l")


def test_a_reset_leaves_nothing_that_tells_the_viewer_from_a_new_one(
    join, post, watched, live_feed, parts
):
    ada, video_id = join("ada_l"), post(tags=("cats",))
    me = watched(ada, video_id)
    ada.patch("/api/feed/settings", json={"newness": 1})
    ada.post("/api/feed/hidden", json={"kind": "hashtag", "subject": "dogs"})
    assert set(_rows_of(parts, me)) == {"signal", "feed_settings", "hidden_subject"}
    assert live_feed.known_of(me) != {}
    assert ada.post("/api/feed/reset", json={"also_hidden": False}).status_code == 204
    assert ada.get("/api/me/history").json()["watches"] == []
    assert ada.get("/api/feed/settings").json()["newness"] == 0.5
    assert [e["name"] for e in ada.get("/api/feed/hidden").json()["hidden"]] == ["#dogs"]
    assert ada.post("/api/feed/reset", json={"also_hidden": True}).status_code == 204
    assert _rows_of(parts, me) == _rows_of(parts, 12) == {}
    assert live_feed.known_of(me) == live_feed.known_of(12) == {}


def _rows_of(parts, viewer_id):
    """Table -> rows that tell the viewer from a new one; a RESET says only that it happened."""
    found = {}
    with parts.transaction() as session:
        for table in Base.metadata.sorted_tables:
            if "viewer_id" in table.columns:
                query = select(func.count()).where(table.c.viewer_id == viewer_id)
                if table.name == "signal":
                    query = query.where(table.c.kind != Kind.RESET)
                found[table.name] = session.scalar(query)
    return {name: count for name, count in found.items() if count}


def test_the_whole_history_is_forgotten_at_once(client, post, watched):
    for _ in range(3):
        watched(client, post())
    client.patch("/api/feed/settings", json={"newness": 1})
    assert client.delete("/api/me/history").status_code == 204
    assert client.get("/api/me/history").json()["watches"] == []
    assert client.get("/api/feed/settings").json()["newness"] == 1


def test_all_that_the_model_holds_is_in_the_export(join, post, watched):
    ada, video_id = join("ada_l"), post(tags=("cats",))
    watched(ada, video_id)
    ada.post("/api/feed/hidden", json={"kind": "hashtag", "subject": "dogs"})
    answer = ada.get("/api/feed/model")
    assert len(answer.text.splitlines()) > 20, "people open it, so it has lines"
    held = answer.json()
    assert held["hidden"][0]["name"] == "#dogs"
    assert set(held["about"]) == set(held["model"])
    archive = zipfile.ZipFile(io.BytesIO(ada.get("/api/me/export").content))
    assert json.loads(archive.read("feed-model.json")) == held


# Reasons


def test_the_weights_are_public(client):
    found = client.get("/api/feed/weights").json()
    assert {"relevance", "long_view", "not_interested"} <= {p["name"] for p in found["parts"]}
    assert all(p["why"] for p in found["parts"] + found["slots"])
    assert {"new", "popular"} <= {s["name"] for s in found["sources"]}


def test_why_is_said_in_a_sentence(client, post, watched, live_feed):
    viewer_id = watched(client, post(tags=("cats",)))
    video_id = post(tags=("cats",))
    unseen = f"/api/videos/{video_id}/why"
    assert "no reason to tell" in client.get(unseen).json()["sentence"]
    (pick,) = _given(live_feed, viewer_id)
    why = client.get(f"/api/videos/{pick.video_id}/why").json()
    assert (why["source"], why["is_profiled"]) == (pick.source, True)
    assert why["sentence"].startswith("You see this because ")
    assert [reason["name"] for reason in why["reasons"]] == [name for name, _ in pick.reasons]
    assert client.get("/api/videos/12/why").status_code == 404


def _given(live_feed, viewer_id):
    """Ask until the ranker has heard of the newest video."""
    for _ in range(100):
        if picks := live_feed.recommend(Ask(viewer_id, time.time_ns() // 1_000_000, limit=1)):
            return picks
        time.sleep(0.05)
    raise AssertionError("nothing was recommended")
