"""Staff for tests over HTTP."""

import httpx2 as httpx
from starlette.testclient import TestClient
from tests.accounts.factory import code_of
from tests.web.conftest import SIGN_UP

from reelm import accounts
from reelm.foundation.parts import Parts


def with_role(parts: Parts, client: TestClient, handle: str, role: str) -> TestClient:
    """Give the client's account a role and sign it in again."""
    with parts.transaction() as session:
        accounts.set_role(session, handle=handle, role=role)
    form = {"handle": handle, "password": SIGN_UP["password"]}
    answer = client.post("/api/sessions", json=form)
    assert answer.status_code == 201, answer.text
    return client


def enrol(client: httpx.Client) -> str:
    """Set up the second factor of the client's account and return its secret."""
    begun = client.post("/api/me/second-factor", json={"password": SIGN_UP["password"]})
    assert begun.status_code == 201, begun.text
    secret: str = begun.json()["secret"]
    code = {"code": code_of(secret)}
    answer = client.post("/api/me/second-factor/confirmation", json=code)
    assert answer.status_code == 204, answer.text
    return secret


def staff_of(parts: Parts, client: TestClient, handle: str, role: str) -> TestClient:
    """Make the client's account staff, with a second factor and a purpose said."""
    enrol(with_role(parts, client, handle, role))
    if role != "authority":
        purpose = {"purpose": "handling grievances"}
        assert client.post("/api/staff/purposes", json=purpose).status_code == 201
    return client
