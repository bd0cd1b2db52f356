"""The data room over HTTP: by its token alone, also while the service is withheld."""

import hashlib

import pytest
from tests.commands.served import until
from tests.regions.factory import make_body
from tests.transfer.factory import Sale, make_sale

from reelm import accounts, audit, moderation, transfer

ROOM = "/api/transfers/room"


@pytest.fixture
def sale(parts) -> Sale:
    """A sale that is proposed, and committed."""
    with parts.transaction() as session:
        sale = make_sale(session, parts)
        sale.propose()
    return sale


@pytest.fixture
def token(parts, sale) -> str:
    """The token of its data room."""
    with parts.transaction() as session:
        return transfer.room.open_room(session).token


def bearing(token):
    return {"authorization": f"Bearer {token}"}


def views(parts):
    with parts.transaction() as session:
        return audit.entries_of(session, "transfer.room_viewed")


def test_the_token_opens_a_list_and_each_document_which_is_logged(client, parts, sale, token):
    told = client.get(ROOM, headers=bearing(token)).json()
    assert told["scope_digest"] == sale.proposal.digest
    names = [one["name"] for one in told["documents"]]
    assert names == ["schema", "sbom", "aggregates", "synthetic"]
    assert views(parts) == []
    for name in names:
        answer = client.get(f"{ROOM}/{name}", headers=bearing(token))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        (*_, logged) = views(parts)
        assert logged.body["digest"] == hashlib.sha256(answer.content).hexdigest()
    assert client.get(f"{ROOM}/people", headers=bearing(token)).status_code == 404
    assert len(views(parts)) == len(names)


def test_what_is_not_open_is_a_sentence(client, parts, sale, token):
    for headers in ({}, bearing(""), bearing(token[:-1]), {"authorization": f"Basic {token}"}):
        for path in (ROOM, f"{ROOM}/schema"):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 401
            assert "Bearer TOKEN" in answer.json()["detail"]
    with parts.transaction() as session:
        moderation.submit_order(session, parts, sale.court.order("stay_transfer"))
    answer = client.get(f"{ROOM}/schema", headers=bearing(token))
    assert (answer.status_code, "stayed" in answer.json()["detail"]) == (403, True)
    with parts.transaction() as session:
        transfer.room.close_rooms(session)
    answer = client.get(f"{ROOM}/schema", headers=bearing(token))
    assert (answer.status_code, "closed" in answer.json()["detail"]) == (410, True)
    assert views(parts) == []


def test_wrong_tokens_are_limited_by_address_and_the_right_one_is_not(client, token, monkeypatch):
    monkeypatch.setattr(accounts, "ROOM_ADDRESS", accounts.Limit("room.address", 2, 3600))
    tries = [client.get(ROOM, headers=bearing("wrong")).status_code for _ in range(3)]
    assert tries == [401, 401, 429]
    assert client.get(ROOM, headers=bearing(token)).status_code == 200


def test_looks_are_limited_by_room(client, token, monkeypatch):
    monkeypatch.setattr(accounts, "ROOM_VIEWS", accounts.Limit("room.views", 2, 3600))
    path = f"{ROOM}/synthetic"
    tries = [client.get(path, headers=bearing(token)).status_code for _ in range(3)]
    assert tries == [200, 200, 429]


def test_the_room_of_a_banned_region_is_open(client, parts, token):
    with parts.transaction() as session:
        moderation.submit_order(session, parts, make_body(session).order("block_service"))
    assert until(lambda: client.get("/").status_code == 451)
    assert client.get(f"{ROOM}/schema", headers=bearing(token)).status_code == 200
