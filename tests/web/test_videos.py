"""One's own videos over HTTP."""

import pytest
from tests.videos.acts import DRAFT, imported, person
from tests.videos.factory import Clips

from reelm.videos import publish as publishing

VTT = b"WEBVTT\n\n00:00.500 --> 00:01.500\nHello\n"


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def posted(parts, join, clips):
    """Clients of ana and ben, and a public video of ana."""
    ana, ben = join("ana"), join("ben")
    video_id = imported(parts, person(parts, "ana"), clips("mp4"), DRAFT)
    publishing.publish(parts, video_id)
    return ana, ben, f"/api/videos/{video_id}"


def test_a_video_says_all_that_a_page_needs(posted):
    ana, ben, url = posted
    mine, theirs = ana.get(url).json(), ben.get(url).json()
    assert mine["is_mine"]
    assert not theirs["is_mine"]
    assert mine["creator"]["handle"] == "ana"
    assert mine["page_url"] == f"/@ana/{mine['id']}"
    assert mine["poster_url"] == f"/media/{mine['id']}/poster.jpg"
    assert mine["progressive_url"] == f"/media/{mine['id']}/source.mp4"
    assert (mine["state"], mine["hashtags"], mine["audience"]) == ("ready", ["cat"], "public")
    assert ben.get(mine["manifest_url"]).status_code == 200


def test_an_owner_edits_and_nobody_else(posted):
    ana, ben, url = posted
    changed = ana.patch(url, json={"caption": "New #dog", "audience": "private"}).json()
    assert (changed["caption"], changed["hashtags"], changed["audience"]) == (
        "New #dog",
        ["dog"],
        "private",
    )
    assert ben.get(url).status_code == 404
    assert ben.patch(url, json={"caption": "mine"}).status_code == 404
    assert ben.delete(url).status_code == 404
    for wrong in (
        {"audience": "all"},
        {"caption": 5},
        {"caption": "x" * 2201},
        {"caption": "a\u0000"},
        {"language": "../"},
        {"state": "ready"},
    ):
        assert ana.patch(url, json=wrong).status_code == 400, wrong
    assert ana.get(url).json()["caption"] == "New #dog"


def test_captions_are_put_and_removed(posted):
    ana, ben, url = posted
    at = f"{url}/captions/en"
    stored = ana.put(at, content=VTT, headers={"content-type": "text/vtt"})
    assert stored.status_code == 200, stored.text
    assert b"Hello" in ben.get(stored.json()["url"]).content
    assert ben.put(at, content=VTT, headers={"content-type": "text/vtt"}).status_code == 404
    bad = ana.put(at, content=b"1\n00:00", headers={"content-type": "text/vtt"})
    assert (bad.status_code, "WEBVTT" in bad.json()["detail"]) == (400, True)
    assert ana.delete(at).status_code == 204
    assert ana.delete(at).status_code == 404
    assert ana.put(f"{url}/captions/x", content=VTT).status_code == 400


def test_a_deleted_video_is_gone_for_all_at_once(posted):
    ana, ben, url = posted
    assert ana.delete(url).status_code == 204
    assert ana.get(url).status_code == 404
    assert ben.get(url).status_code == 404
    assert ana.delete(url).status_code == 404
    assert ana.get("/api/me/videos").json() == {"videos": [], "withheld": {}, "cursor": None}


def test_my_videos_lists_each_once_in_any_state(posted, parts, clips):
    ana, ben, _ = posted
    account_id = person(parts, "ana")
    for _ in range(3):
        imported(parts, account_id, clips("silent"))
    pages, cursor = [], None
    while True:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = ana.get(f"/api/me/videos{query}").json()
        pages += page["videos"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert [video["state"] for video in pages] == ["processing"] * 3 + ["ready"]
    assert len({video["id"] for video in pages}) == 4
    assert ben.get("/api/me/videos").json()["videos"] == []
    assert ana.get("/api/me/videos?cursor=x").status_code == 400
    assert ana.get("/api/me/videos?limit=51").status_code == 400
