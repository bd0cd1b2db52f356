"""The old address of a region that has gone, from two documents and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.transfer.vectors import BUYER
from tests.transfer.wind_down.factory import cutover_of, scope_of

from reelm import app
from reelm.foundation.config import load
from reelm.foundation.errors import Invalid
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.transfer import departed as documents
from reelm.web import departed

HTML = {"accept": "text/html,*/*"}
MOVED = "https://buyer.example"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with its operator's key, and nothing that could be opened."""
    made = app.make_region(
        tmp_path / "region", jurisdiction="neutral", operator="Test Operator", name="Test", number=7
    )
    for path in made.keys.iterdir():
        if path.name != "operator-ed25519.pem":
            path.unlink()
    return made


def left(home: Home, *, is_done: bool = True, **changed: Any) -> TestClient:
    """Leave the documents in a home, and open its old address."""
    key = home.operator_key()
    scope = scope_of(key)
    cutover = cutover_of(scope, key, BUYER if is_done else None, **changed)
    documents.leave_documents(home, canonical(scope) + b"\n", cutover)
    application = departed.build(home, load(home.path, {}))
    return TestClient(application, base_url="https://old.example")


def test_every_page_says_who_is_in_charge_and_where_the_same_page_is(home):
    old = left(home)
    for path in ("/", "/@asha", "/v/123", "/settings", "/nothing/here"):
        answer = old.get(path, headers=HTML)
        assert answer.status_code == 410
        assert answer.headers["link"] == f'<{MOVED}{path}>; rel="successor-version"'
        assert answer.headers["cache-control"] == "no-store"
        assert f'href="{MOVED}{path}"' in answer.text
        for words in ("Buyer runs Test now", "2026-11-23 11:00 UTC", "in place of Test Operator"):
            assert words in answer.text
        for there in ("/sign-in", "/settings#data", "/objection?about=transfer&amp;id=5"):
            assert f'href="{MOVED}{there}"' in answer.text


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_programs_and_media_are_told_in_json(home, method):
    old = left(home)
    for path in ("/api/me", "/media/5/360p.mp4", "/api/uploads"):
        answer = old.request(method, path, headers={"cookie": "reelm_session=x"})
        assert answer.status_code == 410
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["operator"] == "Buyer"
        assert told["moved_to"] == MOVED + path
        assert told["since"] == "2026-11-23T11:00:00Z"
        assert "set-cookie" not in answer.headers


def test_a_path_cannot_lead_elsewhere(home):
    old = left(home)
    for path in (
        "//evil.example/",
        "/@evil.example",
        "/%0d%0aset-cookie:a=b",
        '/"><script>x',
        "/%2e",
    ):
        answer = old.get(path, headers=HTML)
        assert answer.status_code == 410
        there = answer.headers["link"].partition(">")[0].removeprefix("<")
        assert there.startswith(f"{MOVED}/")
        assert there.isprintable()
        assert "set-cookie" not in answer.headers
        assert "<script>x" not in answer.text
    assert "?" not in old.get("/recover?token=secret").headers["link"]


def test_without_the_buyers_signature_it_is_under_way(home):
    old = left(home, is_done=False)
    page = old.get("/", headers=HTML)
    assert (page.status_code, page.headers["retry-after"]) == (503, "60")
    assert "Test is being handed over to Buyer" in page.text
    assert "buyer.example" not in page.text
    told = old.get("/api/me")
    assert (told.status_code, told.json()["moved_to"]) == (503, None)
    # The very same process tells of the signature once it is there.
    left(home)
    assert old.get("/", headers=HTML).status_code == 410


def test_what_both_have_signed_is_not_taken_back(home):
    old = left(home)
    left(home, is_done=False)
    assert old.get("/").status_code == 410
    assert documents.read_departure(home).is_done


def test_anybody_can_check_the_documents(home):
    old = left(home)
    page = old.get("/transfer", headers=HTML)
    assert page.status_code == 200
    for path, name in zip(
        ("scope.json", "cutover.dsse"), documents.document_paths(home), strict=True
    ):
        answer = old.get(f"/transfer/{path}")
        assert (answer.status_code, answer.content) == (200, name.read_bytes())
    assert old.get("/transfer/../../keys").status_code == 410
    assert old.get("/healthz").json()["status"] == "departed"
    style = next(word for word in page.text.split('"') if word.endswith("tokens.css"))
    assert old.get(style).status_code == 200


def test_it_has_the_headers_of_the_service(home):
    headers = left(home).get("/", headers=HTML).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "<script" not in left(home).get("/", headers=HTML).text


def test_a_buyer_without_an_address_is_named_all_the_same(home):
    answer = left(home, address="").get("/@asha", headers=HTML)
    assert "link" not in answer.headers
    assert "Buyer runs Test now" in answer.text
    assert "named no address" in answer.text


@pytest.mark.parametrize("name", ["scope.json", "cutover.dsse"])
def test_damaged_documents_are_not_served(home, name):
    left(home)
    path = home.path / "departed" / name
    path.write_bytes(path.read_bytes()[:-20] + b"}")
    with pytest.raises(Invalid):
        departed.build(home, load(home.path, {}))


def test_documents_of_another_region_are_refused(home, tmp_path):
    other = app.make_region(
        tmp_path / "other", jurisdiction="neutral", operator="Other", name="Other", number=8
    )
    key = other.operator_key()
    scope = scope_of(key)
    with pytest.raises(Invalid, match="not that of the seller"):
        documents.leave_documents(home, canonical(scope), cutover_of(scope, key, BUYER))
    assert not documents.has_departed(home)
