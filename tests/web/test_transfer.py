"""The sale of the region over HTTP: told to anyone, decided by authorities from outside."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.regions.factory import make_body
from tests.transfer.factory import EXPORTER, Sale, bought, make_sale
from tests.web.staff import staff_of

from reelm import accounts, moderation, transfer
from reelm.foundation.parts import Parts
from reelm.moderation.models import Notice

STATEMENTS = "/api/transfers/statements"
EXCLUDED = transfer.Choices(
    dispositions={"model": "exclude"}, export_controlled=frozenset({"model"}), origin=EXPORTER
)


@pytest.fixture
def sale(parts) -> Sale:
    """A sale that is proposed, and committed."""
    with parts.transaction() as session:
        sale = make_sale(session, parts)
        sale.propose(EXCLUDED)
    return sale


def hand_in(client, envelope):
    return client.post(STATEMENTS, content=envelope, headers={"content-type": "application/json"})


def test_without_a_sale_the_page_says_so(client):
    assert client.get("/api/transfers").json()["transfers"] == []
    assert "Not for sale" in client.get("/transfer").text
    assert client.get("/api/region").json()["transfer"] is None


def test_authorities_decide_from_outside_and_anyone_sees_where_the_sale_stands(client, sale):
    for key in (sale.seller_key, sale.buyer_key):
        assert hand_in(client, sale.signature(key)).status_code == 201
    answer = hand_in(client, sale.decision(sale.host))
    assert (answer.status_code, answer.json()["state"]) == (201, "approved")
    (told,) = client.get("/api/transfers").json()["transfers"]
    assert (told["buyer"]["operator"], told["buyer"]["country"]) == ("Demo Buyer", "AQ")
    assert told["scope_digest"] == sale.proposal.digest
    assert [(by["authority"], by["standing"]) for by in told["approvals"]] == [("Host", "approved")]
    for path in ("/transfer", "/region"):
        page = client.get(path).text
        assert "Demo Buyer" in page
        assert sale.proposal.digest[:32] in page


def test_what_is_wrong_with_a_statement_is_a_sentence(client, sale):
    answer = hand_in(client, sale.decision(sale.host, keys=sale.host.keys[:1]))
    assert answer.status_code == 400
    assert "1 good signature of the authority; 2 are needed" in answer.json()["detail"]
    assert hand_in(client, b"{}").status_code == 400
    assert client.get("/api/transfers").json()["transfers"][0]["state"] == "proposed"


def test_a_stay_is_told_with_who_stays_it_and_refuses_approvals(client, parts, sale):
    approval = sale.decision(sale.host)
    with parts.transaction() as session:
        moderation.submit_order(session, parts, sale.court.order("stay_transfer"))
    answer = hand_in(client, approval)
    assert answer.status_code == 409
    assert "The sale is stayed: Demo Ministry ordered it" in answer.json()["detail"]
    told = client.get("/api/region").json()
    assert told["transfer"]["state"] == "stayed"
    assert told["transfer"]["stays"][0]["basis"] == "Demo Act, section 1"
    assert told["orders"][0]["kind"] == "stay_transfer"
    assert "the sale of the region" in client.get("/region").text
    assert "Stayed by Demo Ministry" in client.get("/transfer").text


def test_a_region_that_is_banned_can_still_be_sold(client, parts, sale):
    with parts.transaction() as session:
        body = make_body(session)
        moderation.submit_order(session, parts, body.order("block_service"))
    while client.get("/").status_code != 451:
        pass
    assert client.get("/transfer").status_code == 200
    assert hand_in(client, sale.decision(sale.host)).status_code == 201


def test_why_a_sale_was_aborted_is_not_told(client, parts, sale):
    with parts.transaction() as session:
        transfer.abort(session, "A reason between seller and buyer.")
    assert client.get("/api/region").json()["transfer"] is None
    assert client.get("/api/transfers").json()["transfers"][0]["state"] == "aborted"
    for path in ("/api/transfers", "/transfer", "/api/audit/entries"):
        assert "between seller" not in client.get(path).text


def test_refused_statements_are_limited_by_address_and_taken_ones_are_not(
    client, sale, monkeypatch
):
    little = accounts.Limit("transfer.address", 2, 3600)
    monkeypatch.setattr(accounts, "TRANSFER_ADDRESS", little)
    assert [hand_in(client, b"{}").status_code for _ in range(3)] == [400, 400, 429]
    for _ in range(3):
        assert hand_in(client, sale.signature(sale.seller_key)).status_code == 201


@pytest.fixture
def announced(parts: Parts, sale: Sale) -> Sale:
    """A sale that both sides have signed, and of which everybody was told."""
    for key in (sale.seller_key, sale.buyer_key):
        with parts.transaction() as session:
            transfer.submit_statement(session, sale.signature(key))
    with parts.transaction() as session:
        transfer.announce(session, parts)
    return sale


BANNER = "This service is being sold to Demo Buyer"


def test_before_it_is_announced_no_page_speaks_of_a_sale(client, sale):
    for path in ("/", "/region", "/transfer"):
        assert BANNER not in client.get(path).text


def test_each_page_tells_of_an_announced_sale_and_what_it_means(client, join, announced):
    for one in (client, join("asha")):
        for path in (
            "/",
            "/terms",
            "/region",
            "/transfer",
            "/@nobody",
            "/objection?about=transfer",
        ):
            assert BANNER in one.get(path, headers={"accept": "text/html"}).text, path
    page = client.get("/transfer").text
    number = client.get("/api/region").json()["transfer"]["id"]
    assert f"/objection?about=transfer&amp;id={number}" in page
    assert "erase your account, which then does not go along" in page


def test_the_api_tells_from_when_it_may_be_frozen(client, announced):
    told = client.get("/api/region").json()
    assert told["handed_over"] is None
    found = told["transfer"]["announced"]
    assert (found["notice_days"], found["notice_source"]) == (30, "setting")
    assert found["freeze_from"] > found["made_at"]
    assert client.get("/api/transfers").json()["transfers"][0]["announced"] == found


def notices(client):
    return client.get("/api/me/notices").json()


def rows(parts):
    with parts.transaction() as session:
        return session.scalar(select(func.count()).select_from(Notice))


def test_each_account_has_a_notice_of_it_and_a_row_only_once_it_was_read(
    client, join, parts, announced
):
    asha, bina, later = join("asha"), join("bina"), announced.proposal.transfer_id
    (one,) = notices(asha)["notices"]
    assert (one["about"], one["about_id"], one["can_object"]) == ("transfer", str(later), True)
    assert "Demo Buyer is to run it in place of" in one["words"]
    assert (notices(asha)["unread"], rows(parts)) == (1, 0)
    assert "Notices (1)" in asha.get("/terms").text
    assert asha.put(f"/api/me/notices/{one['id']}/read").status_code == 204
    assert asha.put(f"/api/me/notices/{one['id']}/read").status_code == 204
    (read,) = notices(asha)["notices"]
    assert (read["id"], read["words"], read["made_at"]) == (one["id"], one["words"], one["made_at"])
    assert read["read_at"] is not None
    assert (notices(asha)["unread"], notices(bina)["unread"], rows(parts)) == (0, 1, 1)
    assert asha.put("/api/me/notices/1/read").status_code == 404

    with parts.transaction() as session:
        before = transfer.open_transfer(session)
        found = transfer.announced_of(session, before.id)
        assert found is not None
        transfer.announce(session, parts, freeze_from=found[0].freeze_from + timedelta(days=1))
    assert [notices(one)["unread"] for one in (asha, bina)] == [1, 1]
    for one in (asha, bina):
        assert one.post("/notices/read", follow_redirects=False).status_code == 303
        (only,) = [row for row in notices(one)["notices"] if row["read_at"]]
        assert only["words"] == notices(one)["notices"][0]["words"]
        assert notices(one)["unread"] == 0


def test_the_notice_stands_in_its_place_among_the_others(client, join, parts, announced):
    asha = join("asha")
    account_id = int(asha.get("/api/me").json()["id"])
    with parts.transaction() as session:
        for number in range(3):
            moderation.tell(
                session, parts, account_id, about="grievance", about_id=number, what="x", words="y"
            )
    seen, cursor = [], ""
    while cursor is not None:
        told = asha.get(f"/api/me/notices?limit=2{cursor and '&cursor=' + cursor}").json()
        seen += [one["about"] for one in told["notices"]]
        cursor = told["cursor"]
    assert seen == ["grievance"] * 3 + ["transfer"]


def test_a_person_objects_to_the_sale_with_an_account_or_without(client, join, parts, announced):
    number = str(announced.proposal.transfer_id)
    asha = join("asha")
    body = {"about": "transfer", "id": number, "detail": "My data stays with whom I gave it to."}
    assert client.post("/api/objections", json=body).status_code == 201
    page = asha.get(f"/objection?about=transfer&id={number}").text
    assert "Object to the sale of this region" in page
    assert asha.post("/objection", data=body).status_code == 201
    (mine,) = asha.get("/api/me/grievances").json()["grievances"]
    assert (mine["kind"], mine["target_kind"], mine["target_id"]) == (
        "objection",
        "transfer",
        number,
    )
    officer = staff_of(parts, join("olga"), "olga", "officer")
    found = officer.get("/api/staff/grievances?kind=objection").json()["grievances"]
    assert [one["target_kind"] for one in found] == ["transfer", "transfer"]
    opened = officer.get(f"/api/staff/grievances/{mine['id']}").json()
    assert (opened["detail"], opened["target_exists"]) == (body["detail"], True)
    assert (
        '<a href="/transfer">transfer</a>' in officer.get(f"/console/grievances/{mine['id']}").text
    )


def test_after_the_cutover_each_page_and_account_is_told_who_holds_the_data(
    client, join, parts, announced
):
    asha = join("asha")
    with parts.transaction() as session:
        bought(session, announced, days_ago=1)
    assert client.get("/api/region").json()["handed_over"]["buyer"] == "Demo Buyer"
    assert "Demo Buyer runs this service now" in client.get("/terms").text
    assert "holds your data, which lies in AQ" in client.get("/transfer").text
    (one,) = notices(asha)["notices"]
    assert (one["what"], one["can_object"]) == ("cutover", True)
    assert asha.put(f"/api/me/notices/{one['id']}/read").status_code == 204
    assert notices(asha)["unread"] == 0
