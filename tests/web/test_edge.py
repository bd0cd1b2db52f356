"""The edge: statuses, headers, cookies, cross-site requests and bad input."""

import json
from collections.abc import Callable

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from reelm.foundation.parts import Parts


def test_health_says_the_release(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


def test_metrics_are_in_prometheus_form_and_count_requests(client: TestClient) -> None:
    client.get("/terms")
    text = client.get("/metrics").text
    assert 'reelm_http_requests_total{method="GET",route="/terms",status="200"}' in text


def test_an_unknown_address_is_a_problem_for_programs_and_a_page_for_people(
    client: TestClient,
) -> None:
    answer = client.get("/api/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "detail" in answer.json()
    page = client.get("/nothing", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "<html" in page.text


def test_a_wrong_method_says_which_are_right(client: TestClient) -> None:
    answer = client.put("/api/sessions")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_no_page_allows_inline_script_or_another_host(client: TestClient) -> None:
    policy = client.get("/sign-in").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy.replace("https:", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_another_site_cannot_change_anything(client: TestClient, headers: dict[str, str]) -> None:
    del client.headers["origin"]
    answer = client.post("/api/sessions", json={"handle": "a", "password": "b"}, headers=headers)
    assert answer.status_code == 403


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"handle": 5, "password": "x"}',
    b'{"handle": "ana"}',
    b'{"handle": "ana", "password": "x", "extra": 1}',
    b'{"handle": "a\\u0000b", "password": "long enough"}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"handle": "\\ud800", "password": "x"}',
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_wrong_body_gets_one_sentence(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/sessions", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_body_over_the_limit_is_refused_unread(client: TestClient) -> None:
    answer = client.post("/api/sessions", content=b" " * 1_000_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "number", ["0", "-1", "abc", "9" * 30, "1.5", "%00", "9223372036854775808"]
)
def test_ids_that_cannot_be_are_missing(join: Callable[[str], TestClient], number: str) -> None:
    answer = join("ana").delete(f"/api/sessions/{number}")
    assert answer.status_code in {400, 404}


@pytest.mark.parametrize(
    "cookie",
    [
        "reelm_session=forged",
        "reelm_session=" + "A" * 5000,
        "reelm_viewer=1.2",
        "reelm_viewer=\xff",
    ],
)
def test_foreign_cookies_make_an_anonymous_viewer(client: TestClient, cookie: str) -> None:
    assert (
        client.get("/api/region", headers={b"cookie": cookie.encode("latin-1")}).status_code == 200
    )
    assert client.get("/api/me", headers={b"cookie": cookie.encode("latin-1")}).status_code == 401


def test_the_session_cookie_is_out_of_reach_of_scripts(client: TestClient, parts: Parts) -> None:
    terms = client.get("/api/region").json()["terms_version"]
    account = {
        "handle": "ana",
        "password": "correct horse battery",
        "birth_date": "1990-01-01",
        "terms_version": terms,
    }
    answer = client.post("/api/accounts", json=account)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "reelm_session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie  # loopback counts as secure for browsers
    assert client.get("/api/me").json()["handle"] == "ana"


def test_staff_addresses_are_closed_to_others(join: Callable[[str], TestClient]) -> None:
    ana = join("ana")
    assert ana.get("/api/staff/jobs").status_code == 403
    ana.cookies.clear()
    assert ana.get("/api/staff/jobs").status_code == 401


def test_it_answers_over_a_real_socket(server: str) -> None:
    answer = httpx.get(f"{server}/api/openapi.json")
    assert answer.json()["openapi"] == "3.1.0"
    assert json.dumps(answer.json())


def test_what_is_wrong_inside_is_not_told_to_strangers(client: TestClient, parts: Parts) -> None:
    (parts.home.keys / "region-key").unlink()
    vars(parts).pop("region_key", None)
    answer = client.get("/api/feed")
    assert answer.status_code == 503
    assert "key" not in answer.json()["detail"]
    assert str(parts.home.path) not in answer.text
