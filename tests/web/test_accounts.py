"""Accounts, sessions, one's own account, reports and region over HTTP."""

import io
import json
import zipfile

import pytest
from tests.web.conftest import SIGN_UP

PASSWORD = SIGN_UP["password"]


def _sign_in(client, handle, password=PASSWORD):
    return client.post("/api/sessions", json={"handle": handle, "password": password})


def _terms(client):
    return client.get("/api/region").json()["terms_version"]


def test_the_region_says_who_runs_it_and_its_limits(client):
    facts = client.get("/api/region").json()
    assert (facts["operator"], facts["jurisdiction"], facts["minimum_age"]) == (
        "Test Operator",
        "neutral",
        13,
    )
    assert facts["upload"]["max_bytes"] > 0
    assert facts["policy"]["minimum_age_years"]["unset"]


def test_signing_up_signs_in_and_shows_codes_once(client):
    body = {**SIGN_UP, "handle": "Asha", "terms_version": _terms(client), "display_name": "A"}
    answer = client.post("/api/accounts", json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert len(made["recovery_codes"]) == 10
    assert isinstance(made["account"]["id"], str)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    me = client.get("/api/me").json()
    assert me == made["account"]
    assert (me["handle"], me["display_name"], me["birth_date"]) == ("Asha", "A", "1990-05-17")
    assert client.post("/api/accounts", json=body).status_code == 409


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"birth_date": "2020-01-01"}, 403),
        ({"birth_date": "17/05/1990"}, 400),
        ({"birth_date": 7}, 400),
        ({"handle": "a\x00b"}, 400),
        ({"handle": "a" * 65}, 400),
        ({"handle": "ab"}, 400),
        ({"handle": None}, 400),
        ({"password": "password1"}, 400),
        ({"password": "x" * 1001}, 400),
        ({"terms_version": "1999"}, 409),
        ({"display_name": "x" * 51}, 400),
        ({"language": "no such"}, 400),
        ({"role": "owner"}, 400),
        ({"id": "1"}, 400),
    ],
)
def test_a_wrong_sign_up_is_one_sentence_and_no_account(client, changed, status):
    body = {**SIGN_UP, "handle": "asha", "terms_version": _terms(client), **changed}
    answer = client.post("/api/accounts", json=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["detail"]
    assert client.get("/api/me").status_code == 401
    good = {**SIGN_UP, "handle": "asha", "terms_version": _terms(client)}
    assert client.post("/api/accounts", json=good).status_code == 201


def test_a_wrong_handle_and_a_wrong_password_get_the_same_answer(client, join):
    join("asha")
    wrong = [_sign_in(client, "asha", "wrong phrase"), _sign_in(client, "nobody")]
    assert [answer.status_code for answer in wrong] == [401, 401]
    assert wrong[0].content == wrong[1].content
    assert "reelm_session" not in wrong[0].headers.get("set-cookie", "")


def test_guessing_ends_in_429_with_a_time_to_come_back(client):
    for _ in range(10):
        assert _sign_in(client, "nobody").status_code == 401
    answer = _sign_in(client, "nobody")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900


def test_sessions_are_listed_ended_and_signed_out_of(client, join):
    first = join("asha")
    assert _sign_in(client, "asha").status_code == 201
    rows = client.get("/api/sessions").json()["sessions"]
    assert [row["is_current"] for row in rows].count(True) == 1
    other = next(row for row in rows if not row["is_current"])
    assert other["user_agent"]
    assert client.delete(f"/api/sessions/{other['id']}").status_code == 204
    assert first.get("/api/me").status_code == 401
    assert client.delete(f"/api/sessions/{other['id']}").status_code == 404
    assert client.delete("/api/sessions/current").status_code == 204
    assert client.get("/api/me").status_code == 401


def test_nobody_ends_the_session_of_another(join):
    asha, mira = join("asha"), join("mira")
    session_id = asha.get("/api/sessions").json()["sessions"][0]["id"]
    assert mira.delete(f"/api/sessions/{session_id}").status_code == 404
    assert asha.get("/api/me").status_code == 200


def test_signing_in_again_replaces_the_session_of_this_browser(join):
    asha = join("asha")
    assert _sign_in(asha, "asha").status_code == 201
    assert len(asha.get("/api/sessions").json()["sessions"]) == 1


def test_a_recovery_code_opens_the_account_here_and_closes_it_elsewhere(client, join):
    asha = join("asha")
    codes = asha.post("/api/me/recovery-codes", json={"password": PASSWORD})
    assert codes.status_code == 201
    code = codes.json()["recovery_codes"][0]
    body = {"handle": "asha", "recovery_code": code, "new_password": "an entirely new phrase"}
    answer = client.post("/api/sessions/recovery", json=body)
    assert answer.status_code == 201
    assert answer.json()["account"]["recovery_codes_left"] == 9
    assert client.get("/api/me").status_code == 200
    assert asha.get("/api/me").status_code == 401
    assert client.post("/api/sessions/recovery", json=body).status_code == 401


def test_who_is_signed_in_may_recover_with_the_same_browser(join):
    asha = join("asha")
    code = asha.post("/api/me/recovery-codes", json={"password": PASSWORD}).json()
    body = {
        "handle": "asha",
        "recovery_code": code["recovery_codes"][0],
        "new_password": "an entirely new phrase",
    }
    assert asha.post("/api/sessions/recovery", json=body).status_code == 201


def test_the_profile_is_edited_in_part(join):
    asha = join("asha")
    answer = asha.patch("/api/me", json={"bio": "Hi", "links": ["https://a.example"]})
    assert answer.status_code == 200
    assert (answer.json()["bio"], answer.json()["handle"]) == ("Hi", "asha")
    assert asha.patch("/api/me", json={"is_private": True}).json()["is_private"] is True
    wrong: list[object] = [{"links": ["javascript:1"]}, {"links": "x"}, {"role": "owner"}]
    for body in [*wrong, {"bio": None}, []]:
        assert asha.patch("/api/me", json=body).status_code == 400
    assert asha.get("/api/me").json()["bio"] == "Hi"


def test_changing_the_password_signs_others_out(client, join):
    asha = join("asha")
    _sign_in(client, "asha")
    body = {"current_password": "wrong", "new_password": "an entirely new phrase"}
    assert asha.put("/api/me/password", json=body).status_code == 403
    body["current_password"] = PASSWORD
    assert asha.put("/api/me/password", json=body).status_code == 204
    assert asha.get("/api/me").status_code == 200
    assert client.get("/api/me").status_code == 401


def test_a_picture_that_is_none_is_refused(join):
    asha = join("asha")
    answer = asha.put(
        "/api/me/avatar", content=b"not a picture", headers={"content-type": "image/png"}
    )
    assert answer.status_code == 400
    assert asha.delete("/api/me/avatar").status_code == 204


def test_an_export_is_a_zip_of_ones_own(join):
    asha = join("asha")
    answer = asha.get("/api/me/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert "asha-" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    document = json.loads(archive.read("account.json"))
    assert document["account_id"] == asha.get("/api/me").json()["id"]


def test_erasing_needs_the_password_and_is_at_once(client, join, run_jobs):
    asha = join("asha")
    erase = {"method": "DELETE", "url": "/api/me"}
    assert asha.request(**erase, json={"password": "wrong"}).status_code == 403
    answer = asha.request(**erase, json={"password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["erased_at"]
    assert asha.get("/api/me").status_code == 401
    assert _sign_in(client, "asha").status_code == 401
    assert client.get("/api/accounts/asha").status_code == 404
    run_jobs()
    body = {**SIGN_UP, "handle": "asha", "terms_version": _terms(client)}
    assert client.post("/api/accounts", json=body).status_code == 409


@pytest.mark.parametrize(
    "changed",
    [
        {"target_kind": "sound"},
        {"target_id": 42},
        {"target_id": "0"},
        {"target_id": "-1"},
        {"target_id": "1" * 30},
        {"reason": "because"},
        {"detail": "x" * 4001},
        {"state": "closed"},
    ],
)
def test_a_wrong_report_is_refused(client, changed):
    body = {"target_kind": "video", "target_id": "42", "reason": "illegal", **changed}
    assert client.post("/api/reports", json=body).status_code == 400


def test_a_report_of_the_highest_id_that_can_be_written_is_taken(client):
    body = {"target_kind": "video", "target_id": "9" * 19, "reason": "spam"}
    assert client.post("/api/reports", json=body).status_code == 201
