"""Grievances, decisions, notices and the access log over HTTP, by API and by pages."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient
from tests.social.factory import make_video
from tests.web.staff import staff_of

from reelm.audit.models import AuditEntry
from reelm.foundation.parts import Parts

Join = Callable[[str], TestClient]
REPORT = {"target_kind": "video", "target_id": "42", "reason": "illegal", "detail": "Look."}


@pytest.fixture
def officer(parts: Parts, join: Join) -> TestClient:
    """An officer who has said for what they read."""
    return staff_of(parts, join("olga"), "olga", "officer")


def _id_of(client: TestClient) -> int:
    return int(client.get("/api/me").json()["id"])


def test_a_grievance_goes_from_receipt_to_answer(
    client: TestClient, officer: TestClient, join: Join
) -> None:
    receipt = client.post("/api/reports", json=REPORT).json()
    assert receipt["acknowledge_due_at"] is None  # no jurisdiction is chosen here
    address = f"/api/staff/grievances/{receipt['id']}"
    (row,) = officer.get("/api/staff/grievances").json()["grievances"]
    assert (row["id"], row["state"], "detail" in row) == (receipt["id"], "open", False)
    assert officer.get(address).json()["detail"] == "Look."
    assert officer.post(f"{address}/acknowledgement").status_code == 200
    assert officer.post(f"{address}/acknowledgement").status_code == 409
    form = {"outcome": "acted", "answer": "It is gone."}
    assert officer.post(f"{address}/resolution", json=form).status_code == 200
    followed = client.post(f"/api/grievances/{receipt['id']}", json={"code": receipt["code"]})
    assert (followed.json()["state"], followed.json()["answer"]) == ("resolved", "It is gone.")
    wrong = client.post(f"/api/grievances/{receipt['id']}", json={"code": "aaaa-aaaa"})
    assert wrong.status_code == 404
    for other, status in ((client, 401), (join("asha"), 403)):
        assert other.get(address).status_code == status


def test_the_answer_about_a_thing_that_is_there_is_no_other(
    client: TestClient, officer: TestClient
) -> None:
    there = {**REPORT, "target_kind": "account", "target_id": str(_id_of(officer))}
    answers = [client.post("/api/reports", json=body) for body in (REPORT, there)]
    assert {answer.status_code for answer in answers} == {201}
    assert answers[0].json().keys() == answers[1].json().keys()


def test_reading_takes_a_purpose_and_is_in_the_access_log(
    parts: Parts, join: Join, client: TestClient
) -> None:
    number = client.post("/api/reports", json=REPORT).json()["id"]
    officer = staff_of(parts, join("olga"), "olga", "officer")
    again = staff_of(parts, join("mona"), "mona", "moderator")
    again.post("/api/staff/purposes", json={"purpose": "examining an incident", "note": "Mr X"})
    again.get(f"/api/staff/grievances/{number}")
    (reading,) = officer.get("/api/staff/access-log").json()["readings"]
    assert (reading["reader"], reading["role"]) == ("mona", "moderator")
    assert (reading["purpose"], reading["what"]) == ("examining an incident", "grievance")
    assert (reading["subject_ids"], reading["country"]) == ([number], None)
    page = officer.get("/staff/access-log").text
    assert "@mona" in page
    assert "Mr X" not in page
    assert again.get("/api/staff/access-log").status_code == 403
    assert officer.get("/api/staff/access-log?reader=olga").json()["readings"] == []
    assert officer.get("/api/staff/access-log?reader=nobody").status_code == 404


def test_without_a_purpose_nothing_is_opened_and_pages_ask_for_one(
    parts: Parts, join: Join, client: TestClient
) -> None:
    number = client.post("/api/reports", json=REPORT).json()["id"]
    officer = staff_of(parts, join("olga"), "olga", "officer")
    assert officer.get("/console").status_code == 200
    _ends_purposes(parts)
    address = f"/console/grievances/{number}"
    assert officer.get(f"/api/staff/grievances/{number}").status_code == 403
    away = officer.get(address, follow_redirects=False)
    assert away.headers["location"] == f"/staff/purpose?next={address}"
    wrong = officer.post("/staff/purpose", data={"purpose": "for fun", "next": address})
    assert wrong.status_code == 400
    form = {"purpose": "handling grievances", "note": "", "next": address}
    page = officer.post("/staff/purpose", data=form)
    assert (page.status_code, "In their words" in page.text) == (200, True)


def _ends_purposes(parts: Parts) -> None:
    with parts.transaction() as session:
        session.execute(text("UPDATE staff_purpose SET ends_at = now()"))


def _hidden(page: str) -> dict[str, str]:
    """What a form carries."""
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in fields}


def test_an_answer_that_was_typed_outlives_the_purpose(
    parts: Parts, client: TestClient, officer: TestClient
) -> None:
    number = client.post("/api/reports", json=REPORT).json()["id"]
    address = f"/console/grievances/{number}/resolution"
    typed = {"outcome": "acted", "answer": 'It is "gone",\nand <b>not</b> coming back. & so on'}
    _ends_purposes(parts)
    asked = officer.post(address, data=typed)
    assert (asked.status_code, "nothing was done yet" in asked.text) == (403, True)
    assert f'action="{address}"' in asked.text
    assert _hidden(asked.text) == typed
    unsaid = officer.post(address, data={**typed, "said_purpose": "for fun"})
    assert (unsaid.status_code, "Choose a purpose" in unsaid.text) == (400, True)
    assert _hidden(unsaid.text) == typed
    said = {"said_purpose": "handling grievances", "said_note": "Late."}
    done = officer.post(address, data={**_hidden(unsaid.text), **said})
    assert (done.status_code, "Our answer" in done.text) == (200, True)
    answer = officer.get(f"/api/staff/grievances/{number}").json()["answer"]
    assert answer == typed["answer"]
    (first, *_) = officer.get("/api/staff/access-log").json()["readings"]
    assert first["purpose"] == "handling grievances"


def test_who_sends_a_form_signed_out_comes_back_to_where_it_was(
    client: TestClient, officer: TestClient
) -> None:
    address = "/console/grievances/12/resolution"
    page = "https://localhost/console/grievances/12?x=1"
    for referer, expected in (
        (page, "/console/grievances/12%3Fx%3D1"),
        ("https://elsewhere.invalid/console/grievances/12", "/console"),
        ("", "/console"),
    ):
        headers = {"referer": referer} if referer else {}
        away = client.post(address, headers=headers, follow_redirects=False)
        assert away.headers["location"] == f"/sign-in?next={expected}"


def test_the_pages_take_a_report_and_tell_how_far_it_is(
    client: TestClient, officer: TestClient
) -> None:
    page = client.post("/report", data=REPORT)
    assert page.status_code == 201
    code = re.search(r'<code class="code">([^<]+)</code>', page.text)
    number = re.search(r'href="/grievances/(\d+)"', page.text)
    assert code is not None
    assert number is not None
    address = f"/grievances/{number[1]}"
    assert 'name="code"' in client.get(address).text
    assert client.post(address, data={"code": "wrong"}).status_code == 404
    assert "no deadline is set here" in client.post(address, data={"code": code[1]}).text
    assert f"No. {number[1]}" in officer.get("/console").text
    listed = officer.get("/console/grievances").text
    assert f"No. {number[1]}" in listed
    assert (number[1] in listed, "Look." in listed) == (True, False)
    detail = f"/console{address}"
    assert "Look." in officer.get(detail).text
    officer.post(f"{detail}/acknowledgement")
    empty = officer.post(f"{detail}/resolution", data={"outcome": "acted", "answer": ""})
    assert empty.status_code == 400
    officer.post(f"{detail}/resolution", data={"outcome": "acted", "answer": "It is gone."})
    assert "It is gone." in client.post(address, data={"code": code[1]}).text


def test_a_decision_withholds_tells_and_can_be_objected_to_and_reversed(
    parts: Parts, join: Join, client: TestClient, officer: TestClient
) -> None:
    asha = join("asha")
    with parts.transaction() as session:
        video = make_video(session, _id_of(asha), caption="Sweets for all")
    form = {
        "kind": "withhold_video",
        "target_id": str(video),
        "ground": "terms",
        "basis": "Terms, section 4",
        "category": "spam",
        "facts": "It sells pills.",
        "countries": "",
        "grievance_id": "",
    }
    assert client.get(f"/api/videos/{video}").status_code == 200
    made = officer.post("/console/decisions", data=form)
    assert (made.status_code, "It sells pills." in made.text) == (200, True)
    assert "@olga, a person" in made.text
    assert client.get(f"/api/videos/{video}").status_code == 410
    (decision,) = officer.get("/api/staff/decisions").json()["decisions"]

    told = asha.get("/api/me/notices").json()
    assert told["unread"] == 1
    (notice,) = told["notices"]
    assert (notice["about_id"], notice["can_object"]) == (decision["id"], True)
    assert "badge-count" in asha.get("/settings").text
    statement = asha.get(f"/decisions/{decision['id']}").text
    for words in ("It sells pills.", "Sweets for all", f'href="/@asha/{video}"', str(video)):
        assert words in statement
    assert f'href="/@asha/{video}"' in asha.get("/notices").text
    target = asha.get(f"/api/me/decisions/{decision['id']}").json()["target"]
    assert (target["kind"], target["id"]) == ("video", str(video))
    profile = asha.get("/@asha").text
    assert ("Some of your videos are withheld" in profile, "No videos yet" in profile) == (
        True,
        False,
    )
    assert "are withheld" not in officer.get("/@asha").text
    assert client.get(f"/api/me/decisions/{decision['id']}").status_code == 401
    assert join("bora").get(f"/api/me/decisions/{decision['id']}").status_code == 404
    asha.put(f"/api/me/notices/{notice['id']}/read")
    assert asha.get("/api/me/notices").json()["unread"] == 0

    objection = {"about": "decision", "id": decision["id"], "detail": "They are sweets."}
    assert asha.post("/objection", data=objection).status_code == 201
    (row,) = officer.get("/api/staff/grievances?kind=objection").json()["grievances"]
    assert (row["target_kind"], row["target_id"]) == ("decision", decision["id"])
    assert (
        f"/console/decisions/{decision['id']}"
        in officer.get(f"/console/grievances/{row['id']}").text
    )
    reversal = f"/console/decisions/{decision['id']}/reversal"
    assert officer.post(reversal, data={"reason": " "}).status_code == 400
    assert officer.post(reversal, data={"reason": "They are sweets."}).status_code == 200
    assert client.get(f"/api/videos/{video}").status_code == 200
    assert "reversed" in asha.get("/notices").text
    assert "Some of your videos are withheld" not in asha.get("/@asha").text
    asha.post("/notices/read")
    assert asha.get("/api/me/notices").json()["unread"] == 0


def test_a_wrong_decision_form_keeps_what_was_typed(officer: TestClient) -> None:
    form = {"kind": "withhold_video", "target_id": "42", "facts": "Typed at length."}
    page = officer.post("/console/decisions", data=form)
    assert (page.status_code, "Typed at length." in page.text) == (400, True)


def test_what_waits_is_in_the_metrics(client: TestClient, officer: TestClient) -> None:
    client.post("/api/reports", json=REPORT)
    shown = client.get("/metrics").text
    assert 'reelm_grievances{state="open"} 1.0' in shown
    assert 'reelm_grievances_overdue{state="open"} 0.0' in shown


def test_every_page_of_the_console_opens_for_an_owner(parts: Parts, join: Join) -> None:
    owner = staff_of(parts, join("boss"), "boss", "owner")
    for path in (
        *("/console", "/console/grievances", "/console/decisions", "/console/decisions/new"),
        *("/console/staff", "/staff/access-log", "/staff/purpose", "/jobs", "/two-factor"),
        *("/console/grievances?state=overdue&kind=objection", "/notices", "/objection?id=7"),
    ):
        assert owner.get(path).status_code == 200, path


def test_an_owner_gives_roles_by_the_page(parts: Parts, join: Join) -> None:
    owner, sam = staff_of(parts, join("boss"), "boss", "owner"), join("sam")
    assert (
        owner.post("/console/staff", data={"handle": "@sam", "role": "analyst"}).status_code == 200
    )
    assert sam.get("/api/me").status_code == 401
    with parts.transaction() as session:
        bodies = session.scalars(
            select(AuditEntry.body)
            .where(AuditEntry.kind == "accounts.role_set")
            .order_by(AuditEntry.id)
        ).all()
    assert [(body["role"], body["by"]) for body in bodies] == [
        ("owner", "operator"),
        ("analyst", str(_id_of(owner))),
    ]
    assert "@sam" in owner.get("/console/staff").text
    refused = owner.post("/console/staff", data={"handle": "boss", "role": "none"})
    assert (refused.status_code, "last owner" in refused.text) == (409, True)
    lost = owner.post("/console/staff/second-factor-end", data={"handle": "sam"})
    assert lost.status_code == 404
