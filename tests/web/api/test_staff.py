"""Who of the staff may do what, and how they sign in."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from tests.accounts.factory import code_of
from tests.web.conftest import SIGN_UP
from tests.web.staff import enrol, staff_of, with_role

from reelm import accounts
from reelm.accounts import MAY, ROLES, Power
from reelm.foundation.parts import Parts
from reelm.web.endpoint import STAFF
from reelm.web.routes import ENDPOINTS

STAFF_ENDPOINTS = [endpoint for endpoint in ENDPOINTS if endpoint.access is STAFF]
Join = Callable[[str], TestClient]


def _ask(client: TestClient, method: str, path: str) -> int:
    concrete = re.sub(r"\{[^}]*\}", "1", path)
    answer = client.request(method, concrete, follow_redirects=False)
    return answer.status_code


def _password(handle: str) -> dict[str, str]:
    return {"handle": handle, "password": SIGN_UP["password"]}


def test_every_address_of_the_staff_is_one_that_names_a_power() -> None:
    by_path = {e.path for e in ENDPOINTS if e.path.startswith(("/api/staff", "/staff", "/console"))}
    assert by_path - {e.path for e in STAFF_ENDPOINTS} == set()
    assert {e.power for e in STAFF_ENDPOINTS} <= set(MAY)
    assert set(Power) - set(MAY) == set()
    assert {role for roles in MAY.values() for role in roles} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_what_its_powers_say_and_nothing_else(
    parts: Parts, join: Join, role: str
) -> None:
    client = staff_of(parts, join("sam"), "sam", role)
    refused = {(e.method, e.path) for e in STAFF_ENDPOINTS if _ask(client, e.method, e.path) == 403}
    expected = {(e.method, e.path) for e in STAFF_ENDPOINTS if e.power and role not in MAY[e.power]}
    assert refused == expected


# What answers without a purpose: lists without anybody's words, forms, and acts that show nothing
# of people but what the staff member wrote. Every other address of the staff opens something of
# somebody, so it is read for a purpose and logged.
OPENS_NOTHING = """
GET /api/staff/access-log
GET /api/staff/accounts
GET /api/staff/decisions
GET /api/staff/grievances
GET /api/staff/jobs
GET /console
GET /console/authorities
GET /console/channel
GET /console/decisions
GET /console/decisions/new
GET /console/grievances
GET /console/orders
GET /console/orders/paper
GET /console/staff
GET /jobs
GET /staff/access-log
GET /staff/purpose
DELETE /api/staff/accounts/{handle}/second-factor
POST /api/staff/decisions
POST /api/staff/decisions/{decision_id}/reversal
POST /api/staff/grievances/{grievance_id}/acknowledgement
POST /api/staff/grievances/{grievance_id}/resolution
POST /api/staff/purposes
POST /console/authorities
POST /console/authorities/{authority_id}
POST /console/authorities/{authority_id}/end
POST /console/authorities/{authority_id}/keys
POST /console/authorities/{authority_id}/keys/revocation
POST /console/authorities/{authority_id}/recipient
POST /console/channel
POST /console/decisions
POST /console/grievances/{grievance_id}/acknowledgement
POST /console/orders
POST /console/staff
POST /console/staff/second-factor-end
POST /staff/purpose
PUT /api/staff/accounts/{handle}/role
"""


def test_whatever_opens_something_of_somebody_asks_for_a_purpose_first(
    parts: Parts, join: Join
) -> None:
    owner = with_role(parts, join("sam"), "sam", "owner")
    enrol(owner)
    opens = [e for e in STAFF_ENDPOINTS if f"{e.method} {e.path}" not in OPENS_NOTHING.split("\n")]
    assert len(opens) == len(STAFF_ENDPOINTS) - len(OPENS_NOTHING.strip().split("\n"))
    for endpoint in opens:
        path = re.sub(r"\{[^}]*\}", "1", endpoint.path)
        answer = owner.request(endpoint.method, path, json={}, follow_redirects=False)
        if endpoint.produces == "text/html" and endpoint.method == "GET":
            assert answer.headers["location"].startswith("/staff/purpose?next="), endpoint.path
        elif endpoint.produces == "text/html":
            assert (answer.status_code, "said_purpose" in answer.text) == (403, True), endpoint.path
        else:
            assert "/api/staff/purposes" in answer.json()["detail"], endpoint.path


def test_people_without_a_role_reach_nothing_of_the_staff(client: TestClient, join: Join) -> None:
    member = join("ana")
    for endpoint in STAFF_ENDPOINTS:
        assert _ask(member, endpoint.method, endpoint.path) == 403, endpoint.path
        gone = {303} if endpoint.produces == "text/html" else {401}
        assert _ask(client, endpoint.method, endpoint.path) in gone, endpoint.path


def test_a_role_without_a_second_factor_opens_nothing(parts: Parts, join: Join) -> None:
    client = with_role(parts, join("sam"), "sam", "owner")
    for endpoint in STAFF_ENDPOINTS:
        status = _ask(client, endpoint.method, endpoint.path)
        assert status == (303 if endpoint.produces == "text/html" else 403), endpoint.path
    answer = client.get("/jobs?state=failed", follow_redirects=False)
    assert answer.headers["location"] == "/two-factor?next=/jobs%3Fstate%3Dfailed"
    assert "/two-factor" in client.get("/api/staff/jobs").json()["detail"]
    enrol(client)
    assert client.get("/api/staff/jobs").status_code == 200


def test_an_endpoint_of_the_staff_without_a_power_is_refused_when_it_is_made() -> None:
    endpoint = STAFF_ENDPOINTS[0]
    with pytest.raises(TypeError, match="names one power"):
        type(endpoint)("GET", "/api/staff/leak", endpoint.run, access=STAFF)


def test_signing_in_takes_both_factors(parts: Parts, join: Join, client: TestClient) -> None:
    secret = enrol(with_role(parts, join("sam"), "sam", "officer"))
    form = _password("sam")
    without = client.post("/api/sessions", json=form)
    assert (without.status_code, "code" in without.json()["detail"]) == (401, True)
    assert client.post("/api/sessions", json={**form, "code": "000000"}).status_code == 401
    assert client.get("/api/me").status_code == 401
    code = code_of(secret, steps=1)
    assert client.post("/api/sessions", json={**form, "code": code}).status_code == 201
    assert client.get("/api/staff/jobs").status_code == 200
    # The same code again, from elsewhere.
    again = client.post("/api/sessions", json={**form, "code": code})
    assert again.status_code == 401


def test_the_pages_ask_for_the_code_after_the_password(
    parts: Parts, join: Join, client: TestClient
) -> None:
    secret = enrol(with_role(parts, join("sam"), "sam", "officer"))
    form = {**_password("sam"), "next": "/jobs"}
    answer = client.post("/sign-in", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in/code?next=/jobs"
    assert client.get("/api/me").status_code == 401
    wrong = client.post("/sign-in/code", data={"code": "000000", "next": "/jobs"})
    assert (wrong.status_code, "wrong or was used" in wrong.text) == (401, True)
    data = {"code": code_of(secret, steps=1), "next": "/jobs"}
    right = client.post("/sign-in/code", data=data, follow_redirects=False)
    assert right.headers["location"] == "/jobs"
    assert client.get("/jobs").status_code == 200
    # Nothing is left of the session that awaited the code.
    assert len(client.get("/api/sessions").json()["sessions"]) == 2


def test_a_recovery_code_does_not_stand_in_for_the_device(parts: Parts, join: Join) -> None:
    sam = with_role(parts, join("sam"), "sam", "officer")
    secret = enrol(sam)
    password = {"password": SIGN_UP["password"]}
    codes = sam.post("/api/me/recovery-codes", json=password).json()["recovery_codes"]
    form = {"handle": "sam", "recovery_code": codes[0], "new_password": "a whole new phrase"}
    assert sam.post("/api/sessions/recovery", json=form).status_code == 401
    page = sam.post("/recover", data=form, follow_redirects=False)
    assert page.headers["location"] == "/sign-in/code?next=/settings"
    assert sam.get("/api/me").status_code == 401
    form = {**form, "recovery_code": codes[1], "new_password": "yet another new phrase"}
    answer = sam.post("/api/sessions/recovery", json={**form, "code": code_of(secret, steps=1)})
    assert answer.status_code == 201


def test_an_owner_gives_roles_and_ends_a_lost_second_factor(parts: Parts, join: Join) -> None:
    boss = staff_of(parts, join("boss"), "boss", "owner")
    sam = join("sam")
    assert boss.put("/api/staff/accounts/sam/role", json={"role": "moderator"}).status_code == 204
    sam.post("/api/sessions", json=_password("sam"))
    enrol(sam)
    listed = boss.get("/api/staff/accounts").json()["accounts"]
    assert [(a["handle"], a["role"], a["second_factor"]) for a in listed] == [
        ("boss", "owner", "ready"),
        ("sam", "moderator", "ready"),
    ]
    assert boss.delete("/api/staff/accounts/sam/second-factor").status_code == 204
    assert sam.get("/api/me").status_code == 401
    assert sam.post("/api/sessions", json=_password("sam")).status_code == 201
    assert sam.get("/api/staff/jobs").status_code == 403
    assert boss.delete("/api/staff/accounts/boss/second-factor").status_code == 409
    assert boss.delete("/api/staff/accounts/nobody/second-factor").status_code == 404
    assert boss.put("/api/staff/accounts/boss/role", json={"role": None}).status_code == 409


def test_only_staff_set_up_a_second_factor(join: Join) -> None:
    ana = join("ana")
    assert ana.get("/api/me/second-factor").json() == {"state": "none"}
    answer = ana.post("/api/me/second-factor", json={"password": SIGN_UP["password"]})
    assert answer.status_code == 403
    assert "For the staff" in ana.get("/two-factor").text


def test_the_secret_is_in_no_export(parts: Parts, join: Join) -> None:
    sam = with_role(parts, join("sam"), "sam", "officer")
    secret = enrol(sam)
    assert secret.encode() not in sam.get("/api/me/export").content
    with parts.transaction() as session:
        assert (
            accounts.second_factor_state(session, int(sam.get("/api/me").json()["id"])) == "ready"
        )
