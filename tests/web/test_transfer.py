"""The sale of the region over HTTP: told to anyone, decided by authorities from outside."""

import pytest
from tests.regions.factory import make_body
from tests.transfer.factory import EXPORTER, Sale, make_sale

from reelm import accounts, moderation, transfer

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
