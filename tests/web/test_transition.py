"""A transition grant over HTTP: who sees it, what it opens, and that it closes."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.transfer.factory import Sale, bought, make_sale
from tests.web.conftest import SIGN_UP
from tests.web.staff import enrol

from reelm import audit, transfer
from reelm.accounts.models import SignedIn
from reelm.foundation.clock import now
from reelm.foundation.parts import Parts

WHY = "Helps to mend encodes that fail."


@pytest.fixture
def granted(parts: Parts, join):
    """Somebody of the former operator, who has a role for a day."""
    priya = join("priya")
    with parts.transaction() as session:
        sale: Sale = make_sale(session, parts)
        sale.propose()
        bought(session, sale, days_ago=1)
        until = now() + timedelta(days=1)
        transfer.grant_access(
            session, parts, handle="priya", role="analyst", until=until, reason=WHY
        )
    form = {"handle": "priya", "password": SIGN_UP["password"]}
    assert priya.post("/api/sessions", json=form).status_code == 201
    enrol(priya)
    return priya


def test_everybody_sees_what_the_former_operator_may_do(granted, client):
    (told,) = client.get("/api/region").json()["former_access"]
    assert told["operator"] == "Test Operator"
    assert told["role"] == "analyst"
    assert told["powers"] == ["see the console's first page", "see the jobs"]
    assert told["reason"] == WHY
    page = client.get("/region").text
    assert "The former operator, Test Operator, may see the console" in page
    assert WHY in page
    assert "priya" not in page


def test_it_opens_what_has_no_people_in_it_and_its_use_is_logged(granted, parts):
    assert granted.get("/api/staff/jobs").status_code == 200
    assert granted.get("/console").status_code == 200
    for path in ("grievances", "decisions", "accounts", "access-log"):
        assert granted.get(f"/api/staff/{path}").status_code == 403
    with parts.transaction() as session:
        assert len(list(audit.entries_of(session, "transfer.access_used"))) == 1


def test_it_closes_by_itself(granted, parts, client, monkeypatch):
    assert granted.get("/api/staff/jobs").status_code == 200
    over = now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr("reelm.accounts.sessions.now", lambda: over)
    with parts.transaction() as session:
        session.execute(update(SignedIn).values(expires_at=over + timedelta(days=1)))
    assert granted.get("/api/staff/jobs").status_code == 403
    assert granted.get("/api/me").status_code == 200
