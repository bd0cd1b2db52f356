"""What is wrong with a request is said to people: no regular expression, no name of a type."""

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(("query", "sentence"), [
    ("limit=abc", "limit has to be a whole number from 1 to 50."),
    ("limit=51", "limit has to be a whole number from 1 to 50."),
    ("tab=zzz", "tab is none of following, for_you, popular."),
    ("topic=" + "x" * 121, "topic has to be a text of at most 120 characters."),
    ("cursor=" + "x" * 1001,
     "The cursor is not one that was given out here; ask again without it."),
])  # fmt: skip
def test_a_wrong_query_is_refused_in_plain_words(
    client: TestClient, query: str, sentence: str
) -> None:
    answer = client.get(f"/api/feed?{query}")
    assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


@pytest.mark.parametrize(("url", "body", "sentence"), [
    ("/api/sessions", "[]", "The body has to be an object with named fields."),
    ("/api/sessions", '{"handle": "ana"}', "password is missing."),
    ("/api/sessions", '{"handle": 5}', "handle has to be a text of at most 64 characters."),
    ("/api/watches", '{"watches": [{"video_id": "x", "watched_ms": 1}]}',
     "watches[0].video_id has to be an id, as given out here."),
    ("/api/feed/reset", '{"more": 1}', "more is not a field that can be given here."),
    ("/api/feed/reset", '{"also_hidden": "yes"}', "also_hidden has to be true or false."),
    ("/api/feed/hidden", '{"kind": "mood", "subject": "1"}',
     "kind is none of creator, hashtag, sound, video."),
    ("/api/feed/hidden", '{"kind": "video", "subject": "1", "video_id": "x"}',
     "video_id has to be an id, as given out here."),
])  # fmt: skip
def test_a_wrong_body_is_refused_in_plain_words(
    client: TestClient, url: str, body: str, sentence: str
) -> None:
    answer = client.post(url, content=body)
    assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


@pytest.mark.parametrize("url", ["/history?cursor={}", "/settings/feed?hidden={}"])
@pytest.mark.parametrize("cursor", ["", "abc", "-1"])
def test_a_page_with_an_old_cursor_begins_anew(client: TestClient, url: str, cursor: str) -> None:
    assert client.get(url.format(cursor)).status_code == 200
