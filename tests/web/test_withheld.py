"""An order reaches every exit inside its territory, and changes nothing outside."""

import io
import re
import threading
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient
from tests.commands.served import until
from tests.regions.factory import make_body, people, videos
from tests.videos.acts import DRAFT, imported, person
from tests.videos.factory import Clips

from reelm import accounts, moderation
from reelm import videos as room
from reelm.foundation.clock import now, utc_text
from reelm.foundation.ids import new_id
from reelm.regions import orders
from reelm.videos import publish as publishing
from reelm.videos.models import Sound

VTT = b"WEBVTT\n\n00:00.500 --> 00:01.500\nHello\n"
INSIDE, OUTSIDE = {"x-country": "IN"}, {"x-country": "DE"}


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return Clips(tmp_path_factory.mktemp("clips"))("mp4")


@pytest.fixture
def parts(parts):
    """A region behind a proxy that says where people are."""
    http = msgspec.structs.replace(
        parts.settings.http, trusted_proxies=["testclient"], country_header="x-country"
    )
    return replace(parts, settings=msgspec.structs.replace(parts.settings, http=http))


class Scene:
    """A video of ana's with all its addresses, ben who follows her, and an authority."""

    def __init__(self, parts, join, clip) -> None:
        self.parts = parts
        self.ana, self.ben = join("ana"), join("ben")
        self.ana_id = person(parts, "ana")
        self.video_id = imported(parts, self.ana_id, clip, DRAFT)
        publishing.publish(parts, self.video_id)
        with parts.transaction() as session:
            room.put_captions(
                session,
                account_id=self.ana_id,
                video_id=self.video_id,
                language="en",
                data=VTT,
            )
            poster = parts.store.put_bytes("avatars", b"a picture")
            accounts.set_avatar(session, self.ana_id, poster.key)
            self.body = make_body(session)
        assert self.ben.post("/api/accounts/ana/follow").status_code == 200
        answer = self.ben.post(f"/api/videos/{self.video_id}/comments", json={"body": "nice"})
        assert answer.status_code == 201

    def addresses(self):
        media, api = f"/media/{self.video_id}", f"/api/videos/{self.video_id}"
        page = f"/@ana/{self.video_id}"
        return [
            page, api, f"{api}/comments", f"/oembed?url=https://localhost{page}",
            f"{media}/master.m3u8", f"{media}/source.m3u8", f"{media}/source.mp4",
            f"{media}/poster.jpg", f"{media}/en.vtt", f"{media}/en.m3u8",
        ]  # fmt: skip

    def of_account(self):
        avatar = self.ana.get("/api/me").json()["avatar_url"]
        return ["/@ana", "/api/accounts/ana", "/api/accounts/ana/videos", avatar]

    def lists(self):
        return ["/api/feed?tab=popular", "/api/feed?tab=following", "/"]

    def acts(self):
        api = f"/api/videos/{self.video_id}"
        return [
            ("GET", f"{api}/why"),
            ("POST", f"{api}/like"),
            ("POST", f"{api}/comments", {"body": "again"}),
        ]

    def order(self, kind, **fields):
        statement = self.body.statement(kind, **fields)
        with self.parts.transaction() as session:
            moderation.submit_order(session, self.parts, self.body.sign(statement))
        return statement["reference"]

    def lift(self, reference):
        self.order("lift", targets={"orders": [reference]})


@pytest.fixture
def scene(parts, join, clip):
    return Scene(parts, join, clip)


def what(answer):
    """The bytes, and the headers that say something of them."""
    told = {"content-type", "content-length", "etag", "link", "cache-control"}
    return answer.status_code, answer.content, {
        name: value for name, value in answer.headers.items() if name in told
    }  # fmt: skip


def shows(client, url, video_id, headers):
    return str(video_id) in client.get(url, headers=headers).text


def settle(client, url, headers, status):
    assert until(lambda: client.get(url, headers=headers).status_code == status), url


KINDS: dict[str, Any] = {
    "remove": lambda scene: {"targets": videos(scene.video_id)},
    "geo_restrict": lambda scene: {"targets": videos(scene.video_id), "countries": ["IN"]},
    "suspend_account": lambda scene: {"targets": people(scene.ana_id), "countries": ["IN"]},
    "block_service": lambda scene: {"countries": ["IN"]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_exit_answers_451_inside_and_the_same_bytes_outside(scene, kind):
    fields = KINDS[kind](scene)
    urls = scene.addresses()
    if kind not in ("remove", "geo_restrict"):
        urls = [*urls, *scene.of_account()]
    before = {url: what(scene.ben.get(url, headers=OUTSIDE)) for url in urls}
    inside_before = {url: what(scene.ben.get(url, headers=INSIDE)) for url in urls}
    assert {status for status, *_ in before.values()} == {200}

    reference = scene.order(kind, **fields)
    for url in urls:
        settle(scene.ben, url, INSIDE, 451)
        answer = scene.ben.get(url, headers=INSIDE)
        assert answer.headers["link"] == '</region>; rel="blocked-by"', url
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["withheld_by"][0]["authority"] == "Demo Ministry"
        # Nobody knows where: inside.
        assert scene.ben.get(url).status_code == 451, url
        if kind != "remove":
            assert what(scene.ben.get(url, headers=OUTSIDE)) == before[url], url
    for url in scene.lists():
        assert not shows(scene.ben, url, scene.video_id, INSIDE), url
    for method, url, *body in scene.acts():
        answer = scene.ben.request(method, url, headers=INSIDE, json=body[0] if body else None)
        assert answer.status_code == 451, url

    scene.lift(reference)
    for url in urls:
        settle(scene.ben, url, INSIDE, 200)
        assert what(scene.ben.get(url, headers=INSIDE)) == inside_before[url], url
    assert shows(scene.ben, "/api/feed?tab=following", scene.video_id, INSIDE)


def test_a_page_says_who_ordered_it_on_what_basis_since_when_and_how_to_object(scene):
    scene.order("remove", targets=videos(scene.video_id))
    answer = scene.ben.get(f"/@ana/{scene.video_id}", headers={"accept": "text/html"})
    assert answer.status_code == 451
    for words in (
        "Demo Ministry", "Demo Act, section 1", "https://demo.invalid/objections", "Since",
        f"{scene.body.id}-1",
    ):  # fmt: skip
        assert words in answer.text


def test_a_page_says_since_and_until_when_by_the_clock(scene):
    """Exact times with their zone, which no script turns into "just now"."""
    lapses_at = now() + timedelta(days=3)
    scene.order(
        "remove", targets=videos(scene.video_id), interim=True, lapses_at=utc_text(lapses_at)
    )
    page = scene.ben.get(f"/@ana/{scene.video_id}", headers={"accept": "text/html"}).text
    assert re.search(r"<dt>Since</dt><dd><time data-exact [^>]*>[-0-9]+ [:0-9]+ UTC</time>", page)
    assert f"{lapses_at:%Y-%m-%d %H:%M} UTC</time>, unless it is confirmed" in page
    (by,) = scene.ben.get(f"/api/videos/{scene.video_id}").json()["withheld_by"]
    assert (by["is_interim"], by["lapses_at"][:10]) == (True, f"{lapses_at:%Y-%m-%d}")


def test_a_confidential_order_is_not_told_of(scene):
    secret = {"confidential": True, "interim": True, "lapses_at": utc_text(now() + timedelta(1))}
    scene.order("remove", targets=videos(scene.video_id), **secret)
    url = f"/api/videos/{scene.video_id}"
    for headers in ({"accept": "text/html"}, {}):
        answer = scene.ben.get(url.replace("/api/videos", "/@ana"), headers=headers)
        assert answer.status_code == 451
        for hidden in ("Demo Ministry", "Demo Act", f"{scene.body.id}-1", "demo.invalid", "Until"):
            assert hidden not in answer.text


def test_the_creator_keeps_the_row_and_can_take_the_data_along(scene):
    scene.order("remove", targets=videos(scene.video_id))
    mine = scene.ana.get("/api/me/videos").json()
    assert [one["id"] for one in mine["videos"]] == [str(scene.video_id)]
    assert [by["source"] for by in mine["withheld"][str(scene.video_id)]] == ["order"]
    assert "Withheld by a legal order" in scene.ana.get("/me/videos").text
    assert scene.ana.get(f"/media/{scene.video_id}/source.mp4").status_code == 451
    assert scene.ana.get("/api/me/export").status_code == 200


def test_a_suspended_account_does_nothing_that_others_see_and_keeps_what_is_its_own(scene):
    reference = scene.order("suspend_account", targets=people(scene.ana_id))
    video = f"/api/videos/{scene.video_id}"
    tus = {"tus-resumable": "1.0.0", "upload-length": "10", "upload-metadata": "filename YQ=="}
    for method, url, body, headers in (
        ("PATCH", "/api/me", {"bio": "x"}, {}),
        ("PATCH", video, {"caption": "x"}, {}),
        ("POST", "/api/accounts/ben/follow", None, {}),
        ("POST", f"{video}/like", None, {}),
        ("POST", f"{video}/comments", {"body": "x"}, {}),
        ("POST", "/api/uploads", None, tus),
    ):
        answer = scene.ana.request(method, url, json=body, headers=headers)
        assert answer.status_code == 451, url
    assert scene.ana.get("/api/me").status_code == 200
    assert scene.ana.get("/api/me/export").status_code == 200
    assert scene.ana.delete(video).status_code == 204
    scene.lift(reference)
    assert scene.ana.patch("/api/me", json={"bio": "back"}).json()["bio"] == "back"


def test_a_blocked_service_lets_people_sign_in_export_and_erase_and_comes_back(scene, client):
    reference = scene.order("block_service")
    settle(client, "/", {}, 451)
    shown = client.get("/", headers={"accept": "text/html"})
    assert (shown.status_code, "Demo Ministry" in shown.text) == (451, True)
    credentials = {"handle": "ben", "password": "correct horse battery"}
    assert client.post("/api/sessions", json=credentials).status_code == 201
    for url in ("/terms", "/privacy", "/api/region", "/api/authorities", "/settings", "/healthz"):
        assert client.get(url).status_code == 200, url
    assert client.get("/api/me/export").status_code == 200
    for url in ("/api/feed", "/@ana", "/upload", "/history", "/api/me/history", "/nothing"):
        assert client.get(url).status_code == 451, url
    assert client.patch("/api/me", json={"bio": "x"}).status_code == 451
    gone = client.request("DELETE", "/api/me", json={"password": credentials["password"]})
    assert gone.status_code == 200
    scene.lift(reference)
    settle(client, "/", {}, 200)
    assert client.post("/api/sessions", json=credentials).status_code == 401
    assert scene.ana.get(f"/api/videos/{scene.video_id}").status_code == 200


def test_lists_of_people_name_nobody_who_is_withheld_where_one_is(scene, join):
    cleo = join("cleo")
    assert cleo.patch("/api/me", json={"is_private": True}).status_code == 200
    assert scene.ana.post("/api/accounts/cleo/follow").json()["state"] == "requested"
    assert cleo.post("/api/accounts/ben/block").status_code == 204
    with scene.parts.transaction() as session:
        sound = Sound(id=new_id(), account_id=scene.ana_id, created_at=now())
        session.add(sound)
    for kind, subject in (("creator", scene.ana_id), ("sound", sound.id)):
        hidden = {"kind": kind, "subject": str(subject)}
        assert cleo.post("/api/feed/hidden", json=hidden).status_code == 201
    ben_id = person(scene.parts, "ben")
    reference = scene.order("geo_restrict", targets=people(scene.ana_id, ben_id), countries=["IN"])
    for url, name in (
        ("/api/me/follow-requests", '"ana"'), ("/settings", "@ana"), ("/api/me/blocks", '"ben"'),
        ("/api/feed/hidden", '"ana"'), ("/settings/feed", "@ana"), ("/api/feed/model", '"ana"'),
    ):  # fmt: skip
        assert name in cleo.get(url, headers=OUTSIDE).text, url
        assert name not in cleo.get(url, headers=INSIDE).text, url
    for headers, is_named in ((OUTSIDE, True), (INSIDE, False)):
        export = zipfile.ZipFile(io.BytesIO(cleo.get("/api/me/export", headers=headers).content))
        assert (b"Sound of ana" in export.read("feed-model.json")) is is_named
    request = f"/api/me/follow-requests/{scene.ana_id}/acceptance"
    assert cleo.post(request, headers=INSIDE).status_code == 451
    (blocked,) = cleo.get("/api/me/blocks", headers=INSIDE).json()["accounts"]
    assert (blocked["id"], blocked["handle"]) == (str(ben_id), "")
    assert blocked["display_name"] == "An account that is not available"
    assert cleo.delete(f"/api/me/blocks/{ben_id}", headers=INSIDE).status_code == 204
    assert cleo.get("/api/me/blocks").json()["accounts"] == []
    scene.lift(reference)
    assert cleo.post(request, headers=INSIDE).status_code == 204


@pytest.mark.parametrize("headers", [INSIDE, OUTSIDE])
def test_hashtags_of_a_withheld_video_are_not_offered_and_come_back(scene, headers):
    def offered():
        return shows(scene.ben, "/api/feed/topics", "cat", headers)

    assert offered()
    reference = scene.order("geo_restrict", targets=videos(scene.video_id), countries=["IN"])
    assert until(lambda: not offered())
    scene.lift(reference)
    assert until(offered)


def test_what_an_untrusted_client_says_of_its_country_counts_for_nothing(scene, application):
    scene.order("geo_restrict", targets=videos(scene.video_id), countries=["IN"])
    url = f"/api/videos/{scene.video_id}"
    settle(scene.ben, url, {}, 451)
    stranger = TestClient(application, base_url="https://localhost", client=("203.0.113.9", 1))
    assert stranger.get(url, headers=OUTSIDE).status_code == 451
    for nowhere in ("XX", "EU", "UK"):
        assert scene.ben.get(url, headers={"x-country": nowhere}).status_code == 451
    assert scene.ben.get(url, headers={"x-country": "germany"}).status_code == 451


def test_a_signed_order_is_handed_in_over_http_and_asked_about_by_its_digest(scene, client):
    envelope = scene.body.order("remove", targets=videos(scene.video_id))
    headers = {"content-type": "application/json"}
    taken = client.post("/api/orders", content=envelope, headers=headers)
    assert (taken.status_code, taken.json()["state"]) == (201, "in_force")
    with scene.parts.transaction() as session:
        digest = orders.order(session, int(taken.json()["id"])).document_digest
    assert client.get(f"/api/orders/{digest}").json() == taken.json()
    assert client.get(f"/api/orders/{'0' * 64}").status_code == 404
    settle(client, f"/api/videos/{scene.video_id}", {}, 451)
    known = client.get("/api/authorities").json()
    assert known["region"] == scene.body.region
    assert [one["name"] for one in known["authorities"]] == ["Demo Ministry"]
    for wrong in (b"{}", b"no", envelope.replace(b'"sig":"', b'"sig":"A')):
        assert client.post("/api/orders", content=wrong, headers=headers).status_code == 400


def test_rubbish_from_its_address_does_not_lock_an_authority_out(scene, client, monkeypatch):
    monkeypatch.setattr(accounts, "ORDER_ADDRESS", accounts.Limit("order.address", 3, 300))
    headers = {"content-type": "application/json"}
    forged = scene.body.sign(
        scene.body.statement("remove", targets=videos(scene.video_id)),
        [Ed25519PrivateKey.generate()],
    )
    for envelope in (b"{}", forged, b"{}", forged, b"{}"):
        last = client.post("/api/orders", content=envelope, headers=headers)
    assert (last.status_code, "retry-after" in last.headers) == (429, True)
    envelope = scene.body.order("remove", targets=videos(scene.video_id))
    for _ in range(5):
        taken = client.post("/api/orders", content=envelope, headers=headers)
        assert (taken.status_code, taken.json()["state"]) == (201, "in_force")


def test_an_order_does_not_wait_until_everybody_has_read(scene, client, monkeypatch):
    """All threads that answer readers wait, as for pages that take long; an order is taken in."""
    state = client.app.application.starlette.state
    has_ended = threading.Event()
    threads = scene.parts.settings.http.threads
    for _ in range(threads):
        state.executor.submit(has_ended.wait)
    envelope = scene.body.order("remove", targets=videos(scene.video_id))
    try:
        taken = client.post(
            "/api/orders", content=envelope, headers={"content-type": "application/json"}
        )
        assert taken.status_code == 201
    finally:
        has_ended.set()
