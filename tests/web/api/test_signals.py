"""Acts that only the page sees, over HTTP."""

import pytest


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ({"kind": "share"}, "A share needs video_id, the id of the video."),
        ({"kind": "comment_opened"}, "A comment_opened needs video_id, the id of the video."),
        ({"kind": "profile_visit"}, "A profile_visit needs subject, the id of the creator."),
        (
            {"kind": "profile_visit", "video_id": "1"},
            "A profile_visit needs subject, the id of the creator.",
        ),
        (
            {"kind": "share", "video_id": "1", "subject": "2"},
            "A share has no subject; only a profile_visit has one.",
        ),
    ],
)
def test_an_act_that_does_not_say_what_it_was_about_is_refused(client, act, told):
    good = {"kind": "share", "video_id": "1"}
    answer = client.post("/api/signals", json={"signals": [good, act]})
    assert (answer.status_code, answer.json()["detail"]) == (400, told)


def test_an_act_at_a_video_that_is_not_there_is_passed_over(client):
    signals = [{"kind": "share", "video_id": "1"}, {"kind": "profile_visit", "subject": "2"}]
    assert client.post("/api/signals", json={"signals": signals}).status_code == 204
