"""The OpenAPI document holds: no 5xx, no undocumented status, whatever is sent."""

from collections.abc import Iterator

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.web.conftest import SIGN_UP
from tests.web.staff import enrol

from reelm import accounts
from reelm.foundation.parts import Parts

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# What may end the session of the account would leave the rest of the run signed out.
ENDS_IT = (
    *("/api/sessions/current", "/api/sessions/{session_id}", "/api/me", "/api/me/password"),
    *("/api/me/second-factor", "/api/staff/accounts/{handle}/role"),
)
EXAMPLES = 8


@pytest.fixture
def staff(server: str, parts: Parts) -> Iterator[dict[str, str]]:
    """Headers of a signed-in owner."""
    with httpx.Client(base_url=server) as client:
        terms = client.get("/api/region").json()["terms_version"]
        account = {**SIGN_UP, "handle": "ana", "terms_version": terms}
        client.post("/api/accounts", json=account)
        with parts.transaction() as session:
            accounts.make_staff(session, parts, handle="ana", role="owner")
        answer = client.post(
            "/api/sessions", json={"handle": "ana", "password": SIGN_UP["password"]}
        )
        headers = {"cookie": answer.headers["set-cookie"].split(";")[0]}
        client.headers.update(headers)  # by plain HTTP a client does not send it by itself
        enrol(client)
        said = client.post("/api/staff/purposes", json={"purpose": "examining an incident"})
        assert said.status_code == 201
        yield headers


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_nothing_that_is_sent_gets_an_undocumented_answer(
    server: str, staff: dict[str, str], mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{server}/api/openapi.json")
    surprises: list[str] = []
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]
        for headers in ({}, {} if operation.path in ENDS_IT else staff):
            try:
                attack(operation, server, mode, headers)
            except Unsatisfiable:
                continue  # nothing it takes could be wrong
            except FailureGroup as found:
                surprises.append(f"{operation.label}: {found}")
            tried += 1
    assert not surprises, "\n".join(surprises)
    assert tried > 40


def attack(operation, server: str, mode: GenerationMode, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case) -> None:
        case.headers = {**(case.headers or {}), **headers}
        case.call_and_validate(base_url=server, checks=CHECKS)

    run()


def test_the_document_names_every_operation_once(server: str) -> None:
    document = httpx.get(f"{server}/api/openapi.json").json()
    names = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(names) == len(set(names))
    assert all(op["summary"] for path in document["paths"].values() for op in path.values())
