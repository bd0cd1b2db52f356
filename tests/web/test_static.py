"""Assets: immutable, compressed where it helps, and what the vendor lock says they are."""

import hashlib
import tomllib
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from reelm.web import static


def test_assets_are_kept_for_ever_and_compressed(client: TestClient) -> None:
    answer = client.get(static.url("css/base.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get(static.url("css/base.css"), headers={"accept-encoding": "identity"})
    assert plain.content == answer.content
    assert "content-encoding" not in plain.headers


def test_an_asset_of_another_release_is_not_kept(client: TestClient) -> None:
    answer = client.get("/assets/0123456789ab/css/base.css")
    assert answer.headers["cache-control"] == "no-cache"


def test_nothing_outside_the_assets_is_served(client: TestClient) -> None:
    for name in ("../web/routes.py", "..%2Froutes.py", "vendor.lock/../../routes.py", "%00"):
        assert client.get(f"/assets/x/{name}").status_code == 404


def test_vendored_files_are_those_of_the_lock() -> None:
    for entry in tomllib.loads((static.FOLDER / "vendor.lock").read_text())["file"]:
        data = (static.FOLDER / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert (static.FOLDER / entry["licence_file"]).stat().st_size > 500


def test_what_the_api_is_is_rendered_once_for_everybody(
    client: TestClient, join: Callable[[str], TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "/api/orders/{document_digest}" in client.get("/api").text
    monkeypatch.setattr("reelm.web.application.part", None)
    shown = join("ana").get("/api").text
    assert "/api/orders/{document_digest}" in shown
    assert 'data-viewer-handle="ana"' in shown
