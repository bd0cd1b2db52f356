"""The OpenAPI 3.1 document, made from the endpoints themselves."""

from functools import cache
from typing import Any

import msgspec
from starlette.responses import Response

from reelm import __version__
from reelm.foundation import errors
from reelm.web.endpoint import ANYONE, STAFF, Endpoint, plain
from reelm.web.errors import STATUS, Problem
from reelm.web.openapi_tus import TUS_PATHS
from reelm.web.security import SAFE_METHODS

REF = "#/components/schemas/{name}"


def document(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """Return the OpenAPI document of these endpoints; only those below /api are in it."""
    shown = [e for e in endpoints if e.path.startswith("/api/")]
    types = [Problem, *_types(shown)]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    known = {str(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in shown:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reelm",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Ids are decimal strings, times are RFC 3339 in UTC, errors are "
            "problem details (RFC 9457). Uploads follow tus 1.0 at /api/uploads.",
        },
        "paths": paths | TUS_PATHS,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "reelm_session"}
            },
        },
    }


def _types(endpoints: list[Endpoint]) -> list[Any]:
    found: list[Any] = []
    for endpoint in endpoints:
        candidates = [endpoint.body, endpoint.returns, *(h for h, _ in endpoint.query().values())]
        for kind in candidates:
            if _is_schema(kind) and kind not in found:
                found.append(kind)
    return found


def _is_schema(kind: Any) -> bool:
    if kind in {None, type(None), bytes}:
        return False
    return not (isinstance(plain(kind), type) and issubclass(plain(kind), Response))


def _operation(endpoint: Endpoint, known: dict[str, Any]) -> dict[str, Any]:
    words = (endpoint.run.__doc__ or "").strip().split("\n\n", 1)
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.run.__module__.rsplit('.', 1)[-1]}.{endpoint.run.__name__}",
        "summary": " ".join(words[0].split()).rstrip("."),
        "tags": [endpoint.path.split("/")[2]],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint, known)],
        "responses": _responses(endpoint, known),
    }
    if endpoint.access is not ANYONE:
        operation["security"] = [{"session": []}]
    if endpoint.body is not None:
        schema = {} if endpoint.body is bytes else known[str(endpoint.body)]
        content = {accepted: {"schema": schema} for accepted in endpoint.accepts}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    parameters = []
    for name in names:
        is_id = plain(endpoint.inputs[name][0]) is int
        schema = (
            {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"} if is_id else {"type": "string"}
        )
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    return parameters


def _query_parameters(endpoint: Endpoint, known: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": known[str(hint)],
        }
        for name, (hint, _) in endpoint.query().items()
    ]


def _responses(endpoint: Endpoint, known: dict[str, Any]) -> dict[str, Any]:
    returns = endpoint.returns
    if returns in {None, type(None)}:
        responses: dict[str, Any] = {"204": {"description": "Done."}}
    elif _is_schema(returns):
        content = {endpoint.produces: {"schema": known[str(returns)]}}
        responses = {str(endpoint.status): {"description": "Done.", "content": content}}
    else:
        responses = {
            str(endpoint.status): {"description": "Done.", "content": {endpoint.produces: {}}}
        }
    problem = {"application/problem+json": {"schema": known[str(Problem)]}}
    for kind in sorted(_kinds(endpoint), key=lambda kind: STATUS[kind]):
        responses[str(STATUS[kind])] = {"description": _meaning(kind), "content": problem}
    return responses


def _kinds(endpoint: Endpoint) -> set[str]:
    kinds = {error.kind for error in endpoint.errors} | {"unavailable", "invalid"}
    if endpoint.access is not ANYONE:
        kinds.add("unauthenticated")
    if endpoint.access is STAFF or endpoint.method not in SAFE_METHODS:
        kinds.add("forbidden")
    if endpoint.body is not None:
        kinds.add("too_large")
    if "{" in endpoint.path:
        kinds.add("missing")
    return kinds


@cache
def _meaning(kind: str) -> str:
    for error in vars(errors).values():
        if isinstance(error, type) and getattr(error, "kind", None) == kind and error.__doc__:
            return error.__doc__
    return kind
