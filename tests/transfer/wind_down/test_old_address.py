"""`reelm serve` at the old address: from the cutover on, and when nothing else is left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.commands.served import Served, processes, reelm, serving, until
from tests.transfer.vectors import BUYER
from tests.transfer.wind_down.factory import (
    Seller,
    certificate_of,
    cutover_of,
    down,
    lines_of,
    scope_of,
)

from reelm.foundation.database import embedded
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.transfer.departed import leave_documents

HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELM_HTTP_PORT", "0")


@contextmanager
def serving_again(home: Path) -> Iterator[Served]:
    served = Served(home, port=0)
    served.start()
    try:
        yield served
    finally:
        served.stop()


def entries(seller: Seller) -> dict[str, bytes]:
    return {
        str(path.relative_to(seller.home)): path.read_bytes()
        for path in seller.home.rglob("*")
        if path.is_file() and path.name != "serve.lock"
    }


def test_it_answers_when_database_and_keys_are_gone(seller: Seller) -> None:
    assert down(seller).status == 0
    assert sorted(path.name for path in (seller.home / "keys").iterdir()) == [
        "operator-ed25519.pem"
    ]
    left = entries(seller)
    with serving_again(seller.home) as served:
        page = httpx.get(f"{served.address}/@asha", headers=HTML)
        assert page.status_code == 410
        assert page.http_version == "HTTP/1.1"
        assert 'href="https://buyer.example/@asha"' in page.text
        assert httpx.get(f"{served.address}/api/me").json()["operator"] == "Buyer"
        assert httpx.post(f"{served.address}/api/uploads", content=b"x" * 100).status_code == 410
        running = [line for pid, _, line in processes() if pid in served.everything()]
        children = [line for line in running if "reelm.commands.child" in line]
        assert len(children) == 1
        assert "child notice" in children[0]
        assert not any("postgres" in line for line in running)
        served.kill("notice")
        assert until(lambda: httpx.get(served.address)).status_code == 410
        # Whoever winds down once more is told that the old address gives nothing away.
        assert down(seller).status == 0
    assert entries(seller) == left


def test_the_probe_of_the_old_address_finds_the_notice(seller: Seller) -> None:
    scope, cutover = (seller.exchange / name for name in ("scope.json", "cutover.dsse"))
    leave_documents(Home(seller.home), scope.read_bytes(), cutover.read_bytes())
    with serving_again(seller.home):
        ran = down(seller)
        assert ran.status == 0, ran.out + ran.err
    probe = [line.facts for line in lines_of(seller) if line.kind == "probed"][-1]
    assert probe["name"] == "old-address"
    assert probe["found"].startswith("410, 410")
    assert all(one.passed for one in certificate_of(seller).probes)


def test_before_the_documents_are_there_it_says_what_lets_it_answer(seller: Seller) -> None:
    refused = reelm("serve", "--region", str(seller.home), check=False)
    assert refused.returncode == 2
    assert "gone to another operator" in refused.stderr


def test_a_region_that_is_served_goes_over_to_the_notice(scratch: Path) -> None:
    with serving(scratch / "sv" / "region") as served:
        assert httpx.get(served.address, headers=HTML).status_code == 200
        home = Home(served.home)
        key = home.operator_key()
        scope = scope_of(key)
        # As the seller signs it, and then as both do.
        leave_documents(home, canonical(scope), cutover_of(scope, key, None))
        under_way = until(lambda: _answer(served, 503))
        assert "being handed over to Buyer" in under_way.text
        leave_documents(home, canonical(scope), cutover_of(scope, key, BUYER))
        assert "Buyer runs" in until(lambda: _answer(served, 410)).text
        until(lambda: not any("postgres" in line for pid, _, line in processes()
                              if pid in served.everything()))  # fmt: skip
    embedded.forget(served.home)


def _answer(served: Served, status: int) -> httpx.Response | None:
    answer = httpx.get(f"{served.address}/@asha", headers=HTML)
    return answer if answer.status_code == status else None
