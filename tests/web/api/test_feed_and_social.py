"""The feed, likes, follows, blocks, comments and profiles over HTTP."""

import json

import pytest
from sqlalchemy import text
from tests.social.factory import make_rendition, make_video


@pytest.fixture
def people(join, parts, heard):
    """Clients of Ada and Bea, and a function that posts a video as one of them."""
    ada, bea = join("ada_l"), join("bea_m")

    def post(handle, **fields):
        with parts.transaction() as session:
            account_id = session.scalar(
                text("SELECT id FROM account WHERE handle = :handle"), {"handle": handle}
            )
            video_id = make_video(session, account_id, **fields)
            make_rendition(session, video_id, "360")
            make_rendition(session, video_id, "720")
        if fields.get("audience", "public") in ("public", "followers"):
            heard(str(video_id))
        return str(video_id)

    return ada, bea, post


def test_a_viewer_swipes_watches_likes_and_follows(people, client):
    ada, _, post = people
    video_id = post("bea_m", tags=("cats",))
    page = ada.get("/api/feed").json()
    assert page["seen_again"] is False
    video = page["videos"][0]
    assert video["id"] == video_id
    assert video["hashtags"] == ["cats"]
    assert video["page_url"] == f"/@bea_m/{video_id}"
    assert video["progressive_url"] == f"/media/{video_id}/720.mp4"
    assert {r["name"] for r in video["renditions"]} == {"360", "720"}
    assert (video["creator"]["is_followed"], video["is_liked"], video["likes"]) == (False, False, 0)
    told = {"video_id": video_id, "watched_ms": 9500, "duration_ms": 10000, "loops": 0,
            "completed": True, "muted": False}  # fmt: skip
    beacon = json.dumps({"watches": [told, told | {"video_id": "9999999999999999999"}]})
    answer = ada.post("/api/watches", content=beacon, headers={"content-type": "text/plain"})
    assert answer.status_code == 204, answer.text
    assert ada.post(f"/api/videos/{video_id}/like").json() == {"likes": 1, "is_liked": True}
    assert ada.post("/api/accounts/bea_m/follow").json() == {"state": "accepted"}
    seen = ada.get("/api/feed", params={"tab": "following"}).json()["videos"][0]
    assert (seen["views"], seen["likes"], seen["is_liked"]) == (1, 1, True)
    assert seen["creator"]["is_followed"] is True
    stranger = client.get("/api/feed").json()["videos"][0]
    assert stranger["creator"]["is_followed"] is None
    assert ada.delete(f"/api/videos/{video_id}/like").json() == {"likes": 0, "is_liked": False}
    assert ada.delete("/api/accounts/bea_m/follow").json() == {"state": "none"}


def test_an_anonymous_viewer_is_remembered_by_the_cookie(people, client):
    _, _, post = people
    made = {post("ada_l") for _ in range(4)}
    first = client.get("/api/feed", params={"limit": 3}).json()
    cursor = first["cursor"]
    rest = client.get("/api/feed", params={"limit": 3, "cursor": cursor}).json()
    assert {v["id"] for v in first["videos"] + rest["videos"]} == made
    assert client.get("/api/feed", params={"limit": 3}).json()["seen_again"] is True
    again = client.get("/api/feed", params={"limit": 3, "cursor": cursor})
    assert again.status_code == 200
    client.cookies.clear()
    refused = client.get("/api/feed", params={"cursor": cursor})
    assert refused.status_code == 400
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert client.get("/api/feed", params={"tab": "following"}).status_code == 401


@pytest.mark.parametrize("query", [
    "limit=0", "limit=51", "limit=x", "tab=all", "cursor=%00", "cursor=" + "x" * 65,
])  # fmt: skip
def test_wrong_feed_queries_are_refused(client, query):
    answer = client.get(f"/api/feed?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.parametrize("body", [
    "", "[]", "{}", '{"watches": 1}', '{"watches": [1]}', '{"watches": [{"video_id": 1}]}',
    '{"watches": [{"video_id": "x", "watched_ms": 1}]}',
    '{"watches": [{"video_id": "1", "watched_ms": -1}]}',
    '{"watches": [{"video_id": "1", "watched_ms": 1e99}]}',
    '{"watches": [{"video_id": "1", "watched_ms": 1, "more": 1}]}',
    '{"watches": [' + ",".join(['{"video_id": "1", "watched_ms": 1}'] * 101) + "]}",
    "[" * 5000,
])  # fmt: skip
def test_wrong_watches_are_refused(client, body):
    answer = client.post("/api/watches", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_private_account_is_asked_and_answers(people, parts):
    ada, bea, post = people
    video_id = post("bea_m")
    bea.patch("/api/me", json={"is_private": True})
    assert ada.get("/api/accounts/bea_m/videos").json()["videos"] == []
    assert ada.get("/api/accounts/bea_m").json()["videos_count"] == 0
    assert ada.post("/api/accounts/bea_m/follow").json() == {"state": "requested"}
    assert ada.get("/api/accounts/bea_m").json()["is_requested"] is True
    asking = bea.get("/api/me/follow-requests").json()["requests"]
    assert [who["handle"] for who in asking] == ["ada_l"]
    number = asking[0]["id"]
    assert bea.post(f"/api/me/follow-requests/{number}/acceptance").status_code == 204
    assert [v["id"] for v in ada.get("/api/accounts/bea_m/videos").json()["videos"]] == [video_id]
    profile = ada.get("/api/accounts/BEA_M").json()
    assert (profile["followers"], profile["is_followed"], profile["is_mine"]) == (1, True, False)
    assert bea.get("/api/accounts/bea_m").json()["is_mine"] is True
    assert bea.delete(f"/api/me/follow-requests/{number}").status_code == 404
    assert bea.delete("/api/me/follow-requests/12345").status_code == 404


def test_a_blocked_account_meets_nothing_of_the_other(people):
    ada, bea, post = people
    video_id = post("bea_m")
    assert bea.post("/api/accounts/ada_l/block").status_code == 204
    assert [p["handle"] for p in bea.get("/api/me/blocks").json()["accounts"]] == ["ada_l"]
    for method, path in (
        ("GET", "/api/accounts/bea_m"),
        ("GET", "/api/accounts/bea_m/videos"),
        ("POST", "/api/accounts/bea_m/follow"),
        ("GET", f"/api/videos/{video_id}/comments"),
        ("POST", f"/api/videos/{video_id}/like"),
    ):
        assert ada.request(method, path).status_code == 404, path
    assert ada.get("/api/feed").json()["videos"] == []
    assert bea.get("/api/accounts/ada_l").json()["is_blocked"] is True
    assert bea.post("/api/accounts/ada_l/follow").status_code == 409
    assert bea.delete("/api/accounts/ada_l/block").status_code == 204
    assert ada.get("/api/accounts/bea_m").status_code == 200


def test_comments_are_written_read_changed_and_deleted(people, client):
    ada, bea, post = people
    address = f"/api/videos/{post('bea_m')}/comments"
    made = [ada.post(address, json={"body": f"  Number {n} 🙂 "}) for n in range(5)]
    assert {answer.status_code for answer in made} == {201}
    first = made[0].json()
    assert first["body"] == "Number 0 🙂"
    assert (first["author"]["handle"], first["is_mine"]) == ("ada_l", True)
    page = client.get(address, params={"limit": 3}).json()
    assert [c["body"][:8] for c in page["comments"]] == ["Number 4", "Number 3", "Number 2"]
    rest = client.get(address, params={"limit": 3, "cursor": page["cursor"]}).json()
    assert [c["id"] for c in rest["comments"]] == [made[1].json()["id"], first["id"]]
    assert rest["cursor"] is None
    one = f"/api/comments/{first['id']}"
    edited = ada.patch(one, json={"body": "Better"}).json()
    assert edited["body"] == "Better"
    assert edited["edited_at"]
    assert bea.patch(one, json={"body": "Mine"}).status_code == 403
    assert client.patch(one, json={"body": "Mine"}).status_code == 401
    assert bea.delete(one).status_code == 204
    assert ada.delete(one).status_code == 404
    other = f"/api/comments/{made[1].json()['id']}"
    assert ada.delete(other).status_code == 204


@pytest.mark.parametrize("body", [
    "", "   ", "\n", "\u200b\u200d", "x" * 1001, "a\u0000b", "a\u0007b", "a\u202eb", 7, None,
])  # fmt: skip
def test_a_comment_that_cannot_be_kept_is_refused(people, body):
    ada, _, post = people
    answer = ada.post(f"/api/videos/{post('bea_m')}/comments", json={"body": body})
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_unknown_things_are_missing_and_wrong_ones_refused(people, client):
    ada, _, post = people
    video_id = post("bea_m", audience="private")
    for path in (
        "/api/accounts/nobody_here",
        "/api/accounts/%00",
        "/api/accounts/" + "x" * 500,
        "/api/videos/1/comments",
        f"/api/videos/{video_id}/comments",
        "/api/videos/9223372036854775808/comments",
    ):
        answer = client.get(path)
        assert answer.status_code in {400, 404}, path
    for path in (
        f"/api/videos/{video_id}/like",
        "/api/videos/1/like",
        "/api/accounts/x_y_z/follow",
    ):
        assert ada.post(path).status_code == 404, path
        assert client.post(path).status_code == 401, path
    assert ada.post("/api/accounts/ada_l/follow").status_code == 400
    assert ada.post("/api/accounts/ada_l/block").status_code == 400
    for query in ("cursor=x", "cursor=-1", "limit=99", "cursor=99999999999999999999"):
        assert client.get(f"/api/accounts/bea_m/videos?{query}").status_code == 400, query
