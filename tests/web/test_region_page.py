"""What anyone may know of the region: as a page, as JSON, and as security.txt."""

import re
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.audit.factory import integrate
from tests.regions.factory import make_body, people

from reelm import moderation
from reelm.foundation.clock import now
from reelm.web.application import build


def with_settings(parts, **sections):
    settings = parts.settings
    for name, fields in sections.items():
        section = msgspec.structs.replace(getattr(settings, name), **fields)
        settings = msgspec.structs.replace(settings, **{name: section})
    return replace(parts, settings=settings)


def asked(parts, path):
    with TestClient(build(parts), base_url="https://localhost") as client:
        return client.get(path)


@pytest.fixture
def ordered(parts, join):
    ana_id = int(join("ana").get("/api/me").json()["id"])
    with parts.transaction() as session:
        body = make_body(session)
        for fields in ({"confidential": True, "basis": "Secret Act"}, {"countries": ["LK"]}):
            statement = body.statement("suspend_account", targets=people(ana_id), **fields)
            moderation.submit_order(session, parts, body.sign(statement))
    integrate(parts)


def test_the_api_tells_operator_technology_and_log(client, parts, ordered):
    told = client.get("/api/region").json()
    assert told["operator"] == told["in_charge"]["operator"] == "Test Operator"
    assert told["in_charge"]["epoch"] == 1
    assert re.fullmatch("[0-9a-f]{32}", told["region_id"])
    for digest in (told["technology"]["code_digest"], told["technology"]["sbom_digest"]):
        assert re.fullmatch("[0-9a-f]{64}", digest)
    assert [layer["letter"] for layer in told["egress"]] == ["a", "b", "c"]
    newest = client.get("/api/audit/checkpoints").json()["checkpoints"][0]
    assert (told["checkpoint"]["size"], told["checkpoint"]["root"]) == (
        newest["size"], newest["root"],
    )  # fmt: skip


def test_orders_in_force_are_told_but_for_the_confidential(client, ordered):
    told = client.get("/api/region").json()
    assert [order["basis"] for order in told["orders"]] == ["Demo Act, section 1"]
    assert told["orders"][0]["countries"] == ["LK"]
    assert (told["orders"][0]["accounts"], told["orders_in_force"]) == (1, 1)
    page = client.get("/region").text
    assert "Demo Ministry" in page
    assert "Secret Act" not in page


def test_the_page_tells_each_rule_with_its_source_and_links(parts):
    india = with_settings(parts, region={"jurisdiction": "IN", "data_country": "IN"})
    page = asked(india, "/region").text
    assert "Grievance Officer" in page
    assert "Nobody is named" in page
    assert "rule 3(1)(d): within 3 hours" in page
    assert "IN, as the operator states" in page
    for link in ("/audit", "/transparency", "/terms", "/privacy"):
        assert f'href="{link}"' in page


def test_no_place_or_credential_of_the_settings_is_told(parts):
    secrets = {
        "url": "s3://secret-bucket/prefix",
        "s3_endpoint": "http://127.0.0.1:9",
        "s3_secret_access_key": "planted-secret",
        "s3_access_key_id": "planted-id",
    }
    told = asked(with_settings(parts, storage=secrets), "/api/region").text
    assert msgspec.json.decode(told)["data"]["store"] == "bucket"
    for value in (*secrets.values(), str(parts.home.path), "127.0.0.1"):
        assert value not in told, value


def test_security_txt_has_what_the_rfc_requires(parts):
    contacts = {"security": ["mailto:security@example.org", "tel:+91-1"], "languages": ["en", "hi"]}
    told = with_settings(parts, contacts=contacts, http={"public_url": "https://example.org"})
    answer = asked(told, "/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = dict(line.split(": ", 1) for line in reversed(answer.text.splitlines()))
    assert answer.text.startswith("Contact: mailto:security@example.org\nContact: tel:+91-1\n")
    assert lines["Canonical"] == "https://example.org/.well-known/security.txt"
    assert lines["Preferred-Languages"] == "en, hi"
    expires = msgspec.convert(lines["Expires"], type(now()))
    assert timedelta(days=1) < expires - now() < timedelta(days=366)


def test_without_a_contact_there_is_no_security_txt_and_it_says_why(client):
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 404
    assert "contacts.security" in answer.json()["detail"]


def test_the_public_pages_stay_open_while_the_service_is_withheld(parts, client):
    with parts.transaction() as session:
        body = make_body(session)
        moderation.submit_order(session, parts, body.order("block_service"))
    integrate(parts)
    while client.get("/").status_code != 451:
        pass
    for path in ("/region", "/api/region", "/transparency", "/api/transparency"):
        assert client.get(path).status_code == 200, path
    assert client.get("/.well-known/security.txt").status_code == 404
    assert "the whole service" in client.get("/region").text
