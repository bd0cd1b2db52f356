"""While the whole service is withheld, each address is open or withheld as it is listed here."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from tests.accounts.factory import code_of
from tests.commands.served import until
from tests.regions.factory import make_body
from tests.web.conftest import SIGN_UP
from tests.web.staff import enrol, with_role

from reelm import moderation
from reelm.foundation.parts import Parts
from reelm.web.routes import ENDPOINTS, RAW_ROUTES

Join = Callable[[str], TestClient]

# The service itself; each address that is not here has to stay open.
WITHHELD = """
GET /
GET /@{handle}
GET /@{handle}/{video_id}
GET /api/accounts/{handle}
GET /api/accounts/{handle}/videos
GET /api/feed
GET /api/feed/hidden
GET /api/feed/settings
GET /api/feed/topics
GET /api/feed/weights
GET /api/me/blocks
GET /api/me/follow-requests
GET /api/me/history
GET /api/me/uploads
GET /api/me/videos
GET /api/videos/{video_id}
GET /api/videos/{video_id}/comments
GET /api/videos/{video_id}/why
GET /history
GET /me/videos
GET /oembed
GET /settings/feed
GET /sign-up
GET /upload
DELETE /api/accounts/{handle}/block
DELETE /api/accounts/{handle}/follow
DELETE /api/feed/hidden/{kind}/{subject}
DELETE /api/me/blocks/{account_id}
DELETE /api/me/follow-requests/{account_id}
DELETE /api/uploads/{upload_id}
DELETE /api/videos/{video_id}/captions/{language}
DELETE /api/videos/{video_id}/like
HEAD /api/uploads/{upload_id}
OPTIONS /api/uploads
OPTIONS /api/uploads/{upload_id}
PATCH /api/comments/{comment_id}
PATCH /api/feed/settings
PATCH /api/me
PATCH /api/uploads/{upload_id}
PATCH /api/videos/{video_id}
POST /api/accounts
POST /api/accounts/{handle}/block
POST /api/accounts/{handle}/follow
POST /api/feed/hidden
POST /api/me/follow-requests/{account_id}/acceptance
POST /api/signals
POST /api/uploads
POST /api/uploads/{upload_id}
POST /api/videos/{video_id}/comments
POST /api/videos/{video_id}/like
POST /api/watches
POST /sign-up
PUT /api/me/avatar
PUT /api/videos/{video_id}/captions/{language}
"""


@pytest.fixture
def blocked(parts: Parts, client: TestClient) -> None:
    """The service is withheld everywhere."""
    with parts.transaction() as session:
        moderation.submit_order(session, parts, make_body(session).order("block_service"))
    assert until(lambda: client.get("/").status_code == 451)


@pytest.mark.usefixtures("blocked")
def test_each_address_is_open_or_withheld_as_listed(client: TestClient) -> None:
    every = {(one.method, one.path) for one in ENDPOINTS}
    every |= {(method, path) for path, methods, _ in RAW_ROUTES for method in methods}
    withheld = set()
    for method, path in every:
        concrete = re.sub(r"\{[^}]*\}", "1", path)
        if client.request(method, concrete, follow_redirects=False).status_code == 451:
            withheld.add(f"{method} {path}")
    assert withheld == set(WITHHELD.strip().splitlines())


@pytest.mark.usefixtures("blocked")
def test_an_address_that_nobody_has_is_withheld_and_an_asset_is_not(client: TestClient) -> None:
    for path in ("/nowhere", "/console-of-mine", "/api/staff", "/terms/1"):
        assert client.get(path).status_code == 451, path
    assert client.head("/terms").status_code == 200
    assert client.get("/assets/1/nothing.css").status_code == 404


def test_an_officer_appointed_during_a_block_sets_up_a_second_factor(
    parts: Parts, join: Join, request: pytest.FixtureRequest
) -> None:
    olga = join("olga")
    request.getfixturevalue("blocked")
    with_role(parts, olga, "olga", "officer")
    asked = olga.get("/console", follow_redirects=False)
    assert asked.headers["location"] == "/two-factor?next=/console"
    assert olga.get(asked.headers["location"]).status_code == 200
    secret = enrol(olga)
    assert olga.get("/console").status_code == 200
    password = {"password": SIGN_UP["password"]}
    codes = olga.post("/api/me/recovery-codes", json=password).json()["recovery_codes"]
    form = {"handle": "olga", "recovery_code": codes[0], "new_password": "a whole new phrase"}
    recovered = olga.post("/recover", data=form, follow_redirects=False)
    assert recovered.headers["location"] == "/sign-in/code?next=/settings"
    code = {"code": code_of(secret, steps=1), "next": "/settings"}
    assert olga.post("/sign-in/code", data=code).status_code == 200
