"""Staff hand a disclosure out over HTTP, and cannot read it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import pyrage
import pytest
from starlette.testclient import TestClient
from tests.regions.factory import Body, make_body, people
from tests.web.staff import enrol, staff_of, with_role

from reelm import moderation
from reelm.foundation.parts import Parts

Join = Callable[[str], TestClient]
RunJobs = Callable[[], None]


@pytest.fixture
def body(parts: Parts) -> Body:
    """An authority with a recipient."""
    with parts.transaction() as session:
        return make_body(session)


def _ordered(parts: Parts, body: Body, kind: str, account_id: int, **fields: bool) -> str:
    with parts.transaction() as session:
        envelope = body.order(kind, targets=people(account_id), **fields)
        order_id = moderation.submit_order(session, parts, envelope).order_id
    return f"/api/staff/orders/{order_id}/disclosure"


def test_an_officer_hands_out_a_file_that_only_the_authority_opens(
    parts: Parts, join: Join, body: Body, run_jobs: RunJobs
) -> None:
    account_id = int(join("asha").get("/api/me").json()["id"])
    officer = staff_of(parts, join("olga"), "olga", "officer")
    address = _ordered(parts, body, "disclose", account_id)
    listed = officer.get(address).json()
    assert (listed["awaited"], listed["packages"]) == ([str(account_id)], [])
    assert officer.post(f"{address}/{account_id}").status_code == 503
    run_jobs()
    (package,) = officer.get(address).json()["packages"]
    assert (package["account_id"], package["released_at"]) == (str(account_id), None)
    file = officer.post(f"{address}/{account_id}")
    assert file.status_code == 200
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["cache-control"] == "no-store"
    assert hashlib.sha256(file.content).hexdigest() == package["sha256"]
    assert b"asha" not in file.content
    plain = pyrage.decrypt(file.content, [body.identity])
    document = json.loads(zipfile.ZipFile(io.BytesIO(plain)).read("account.json"))
    assert document["tables"]["account"][0]["handle"] == "asha"
    told = officer.get(address).json()
    assert (told["state"], told["packages"][0]["released_at"] is None) == ("complied", False)
    reads = officer.get("/api/staff/access-log").json()["readings"]
    assert {read["what"] for read in reads} == {"disclosure"}
    # Looked at three times, and handed out once in between.
    assert [str(account_id) in read["subject_ids"] for read in reads] == [False, True, False, False]


def test_who_said_no_purpose_does_not_see_whom_a_confidential_order_names(
    parts: Parts, join: Join, body: Body
) -> None:
    account_id = int(join("asha").get("/api/me").json()["id"])
    owner = with_role(parts, join("olga"), "olga", "owner")
    enrol(owner)
    address = _ordered(parts, body, "disclose", account_id, confidential=True)
    refused = owner.get(address)
    assert (refused.status_code, str(account_id) in refused.text) == (403, False)
    owner.post("/api/staff/purposes", json={"purpose": "handling orders"})
    assert owner.get(address).json()["awaited"] == [str(account_id)]
    (read,) = owner.get("/api/staff/access-log").json()["readings"]
    assert (read["what"], read["is_published"]) == ("disclosure", False)


def test_jobs_of_orders_are_shown_to_those_alone_who_may_see_orders(
    parts: Parts, join: Join, body: Body
) -> None:
    account_id = int(join("asha").get("/api/me").json()["id"])
    _ordered(parts, body, "preserve", account_id, confidential=True)
    for role, is_shown in (("analyst", False), ("moderator", False), ("officer", True)):
        handle = f"a_{role}"
        staff = staff_of(parts, join(handle), handle, role)
        for address in ("/api/staff/jobs", "/jobs"):
            assert ("accounts.make_copies" in staff.get(address).text) is is_shown, (role, address)
    assert 'reelm_orders{state="in_force"} 0.0' in join("ben").get("/metrics").text


def test_a_disclosure_is_handed_out_by_those_alone_who_may_and_say_why(
    parts: Parts, join: Join, client: TestClient, body: Body, run_jobs: RunJobs
) -> None:
    asha = join("asha")
    account_id = int(asha.get("/api/me").json()["id"])
    address = _ordered(parts, body, "disclose", account_id)
    run_jobs()
    moderator = staff_of(parts, join("mona"), "mona", "moderator")
    for other, status in ((client, 401), (asha, 403), (moderator, 403)):
        assert other.get(address).status_code == status
        assert other.post(f"{address}/{account_id}").status_code == status
    officer = staff_of(parts, join("olga"), "olga", "officer")
    for wrong in (f"{address}/{account_id + 1}", "/api/staff/orders/7/disclosure/7"):
        assert officer.post(wrong).status_code == 404
    preserved = _ordered(parts, body, "preserve", account_id)
    assert officer.get(preserved).status_code == 404


def test_who_erases_an_account_under_a_confidential_order_is_told_the_same(
    parts: Parts, join: Join, body: Body
) -> None:
    answers = []
    for handle, is_held in (("asha", True), ("ben", False)):
        person = join(handle)
        account_id = int(person.get("/api/me").json()["id"])
        if is_held:
            with parts.transaction() as session:
                envelope = body.order("preserve", targets=people(account_id), confidential=True)
                moderation.submit_order(session, parts, envelope)
        password = {"password": "correct horse battery"}
        erased = person.request("DELETE", "/api/me", json=password)
        answer = [erased.status_code, erased.json()["detail"], erased.json()["complete_at"]]
        answer += [person.get(path).status_code for path in ("/api/me", f"/@{handle}")]
        form = {"handle": handle, **password}
        answer.append(person.post("/api/sessions", json=form).status_code)
        taken = {**password, "birth_date": "1990-05-17", "handle": handle}
        taken["terms_version"] = person.get("/api/region").json()["terms_version"]
        answer.append(person.post("/api/accounts", json=taken).status_code)
        answers.append(answer)
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
