"""What people can do while their region is frozen: everything that changes nothing."""

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from tests.social.factory import make_video
from tests.transfer.move.factory import Moving
from tests.web.conftest import SIGN_UP
from tests.web.staff import staff_of

from reelm import moderation, transfer
from reelm.feed.log import appender
from reelm.foundation.database import Base, fence, roles
from reelm.transfer import move
from reelm.videos.objects import POSTERS
from reelm.web.application import build
from reelm.web.routes import ENDPOINTS

HTML = {"accept": "text/html"}


@dataclass
class Frozen:
    """A frozen region, and people who were there before."""

    moving: Moving
    application: ASGIApp
    asha: TestClient
    officer: TestClient
    video_id: int

    def nobody(self) -> TestClient:
        return client_of(self.application)


def client_of(application: ASGIApp) -> TestClient:
    client = TestClient(application, base_url="https://localhost")
    client.headers["origin"] = "https://localhost"
    return client


def joined(application: ASGIApp, handle: str) -> TestClient:
    client = client_of(application)
    terms = client.get("/api/region").json()["terms_version"]
    form = {**SIGN_UP, "handle": handle, "terms_version": terms}
    assert client.post("/api/accounts", json=form).status_code == 201
    return client


@pytest.fixture
def frozen(
    serving: Moving, small_ranker: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Frozen]:
    monkeypatch.setattr(appender, "LOOK_EVERY_S", 0.1)
    parts = serving.serving
    application = build(parts)
    with TestClient(application, base_url="https://localhost"):
        asha = joined(application, "asha")
        officer = staff_of(parts, joined(application, "officer"), "officer", "officer")
        poster = parts.store.put_bytes(POSTERS, b"a poster").key
        with parts.transaction() as session:
            account_id = int(asha.get("/api/me").json()["id"])
            video_id = make_video(session, account_id, poster_object=poster)
            moderation.tell(
                session, parts, account_id, about="order", about_id=5, what="in_force", words="x"
            )
        serving.freeze()
        yield Frozen(serving, application, asha, officer, video_id)


def test_everything_that_is_only_read_is_there(frozen):
    named = {"{video_id}": str(frozen.video_id), "{handle}": "asha", "{period}": "2026-11"}
    failed = []
    for who in (frozen.asha, frozen.officer, frozen.nobody()):
        for endpoint in (one for one in ENDPOINTS if one.method == "GET"):
            path = endpoint.path
            for name, value in named.items():
                path = path.replace(name, value)
            answer = who.get(path, headers={"accept": endpoint.produces})
            if answer.status_code >= 500:
                failed.append((path, answer.status_code, answer.text[:200]))
    assert failed == []


def test_the_feed_shows_what_is_popular_and_says_why(frozen):
    for who in (frozen.asha, frozen.nobody()):
        page = who.get("/api/feed").json()
        assert [video["id"] for video in page["videos"]] == [str(frozen.video_id)]
        assert not page["is_profiled"]
        assert "being handed over" in page["notice"]
        assert who.get("/api/feed", params={"cursor": page["cursor"]}).status_code == 200
        assert "This service is being handed over to" in who.get("/", headers=HTML).text


def test_people_sign_in_and_out_and_take_their_data_along(frozen):
    assert frozen.asha.get("/api/me/export").status_code == 200
    assert frozen.asha.delete("/api/sessions/current").status_code == 204
    form = {"handle": "asha", "password": SIGN_UP["password"]}
    assert frozen.asha.post("/api/sessions", json=form).status_code == 201
    assert frozen.asha.post("/sign-in", data=form, follow_redirects=False).status_code == 303


def test_an_account_can_be_erased(frozen):
    form = {"password": SIGN_UP["password"]}
    assert frozen.asha.request("DELETE", "/api/me", json=form).status_code == 200
    assert frozen.nobody().get("/@asha", headers=HTML).status_code == 404


def test_who_asks_to_be_erased_after_the_seal_is_told_who_does_it(frozen, serving):
    with serving.seller.transaction() as session:
        fence.mark_sealed(session, "erased_account")
    form = {"password": SIGN_UP["password"]}
    answer = frozen.asha.request("DELETE", "/api/me", json=form)
    assert (answer.status_code, answer.json()["erased_at"]) == (200, None)
    assert "whoever runs the service then" in answer.json()["detail"]
    assert frozen.asha.get("/api/me").status_code == 401
    assert frozen.nobody().get("/@asha", headers=HTML).status_code == 200


def test_a_password_of_an_older_strength_still_signs_in(frozen, monkeypatch):
    module = importlib.import_module("reelm.accounts.sign_in")
    monkeypatch.setattr(module, "is_outdated", lambda _: True)
    form = {"handle": "asha", "password": SIGN_UP["password"]}
    assert frozen.nobody().post("/api/sessions", json=form).status_code == 201


def test_what_changes_something_is_refused_in_a_sentence(frozen):
    video = f"/api/videos/{frozen.video_id}"
    watch = [{"video_id": str(frozen.video_id), "watched_ms": 900, "duration_ms": 9000,
              "loops": 0, "completed": False, "muted": True}]  # fmt: skip
    for path, body in (
        (f"{video}/like", None),
        (f"{video}/comments", {"body": "Hello."}),
        ("/api/watches", {"watches": watch}),
        ("/api/reports", {"target_kind": "video", "target_id": "5", "reason": "spam"}),
        ("/api/feed/reset", {}),
    ):
        answer = frozen.asha.post(path, json=body)
        assert (path, answer.status_code) == (path, 503)
        assert "being handed over to another operator" in answer.json()["detail"]
        assert answer.headers["retry-after"] == "300"


def test_an_objection_is_refused_with_where_to_object_meanwhile(frozen):
    body = {
        "about": "transfer",
        "id": str(frozen.moving.sale.proposal.transfer_id),
        "detail": "No.",
    }
    answer = frozen.nobody().post("/api/objections", json=body)
    assert answer.status_code == 503
    assert "Object to Host (" in answer.json()["detail"]
    assert "once the new operator has it" in answer.json()["detail"]
    page = frozen.asha.post("/objection", data=body)
    assert page.status_code == 503
    assert "Object to Host (" in page.text
    assert ">No.<" in page.text  # what was written is not lost
    assert "To object meanwhile" in frozen.asha.get("/transfer").text


def test_reading_notices_holds_up_nothing(frozen):
    moving = frozen.moving
    move.seal_region(moving.seller, moving.exchange)
    move.receive(moving.buyer, moving.exchange)
    told = frozen.asha.get("/api/me/notices").json()
    assert told["unread"] == 2
    for one in told["notices"]:
        answer = frozen.asha.put(f"/api/me/notices/{one['id']}/read")
        assert answer.status_code == 204
    assert frozen.asha.post("/notices/read", follow_redirects=False).status_code == 303
    assert frozen.asha.get("/api/me/notices").json()["unread"] == 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        moving.write(moving.serving, "UPDATE notice SET read_at = now()")
    assert move.cut_over(moving.seller, moving.exchange).signed_by == ["seller"]


def test_after_an_abort_everything_is_as_before(frozen, owner):
    moving = frozen.moving
    assert not frozen.asha.get("/api/feed").json()["is_profiled"]
    moving.act(lambda sale: transfer.abort(sale.session, "No money."))
    # As `reelm transfer abort` does at its end.
    roles.ensure_app(owner, 1, moving.seller.home.secret("database-app"), Base.metadata)
    assert frozen.asha.post(f"/api/videos/{frozen.video_id}/like").status_code < 300
    # The feed looks every moment whether it may write again.
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if frozen.nobody().get("/api/feed").json()["is_profiled"]:
            return
        time.sleep(0.1)
    pytest.fail("the feed did not come back")
