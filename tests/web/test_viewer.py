"""Where a request comes from, as far as a trusted proxy says it."""

import msgspec
import pytest
from starlette.requests import HTTPConnection

from reelm.foundation.config import HttpSettings
from reelm.web.viewer import client_address
from reelm.web.whereabouts import country_of

PROXY, OTHER_PROXY = "192.0.2.1", "192.0.2.2"
CLIENT, FORGED = "198.51.100.7", "203.0.113.66"


def _request(peer: str, *headers: tuple[str, str]) -> HTTPConnection:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return HTTPConnection({"type": "http", "client": (peer, 1), "headers": raw})


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([CLIENT], CLIENT),
        ([f"{FORGED}, {CLIENT}"], CLIENT),
        ([FORGED, CLIENT], CLIENT),
        ([FORGED, f"{CLIENT}, {OTHER_PROXY}"], CLIENT),
        ([FORGED, CLIENT, OTHER_PROXY], CLIENT),
        ([], PROXY),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_is_the_clients(
    lines: list[str], address: str
) -> None:
    request = _request(PROXY, *(("x-forwarded-for", line) for line in lines))
    assert client_address(request, [PROXY, OTHER_PROXY]) == address


def test_what_a_stranger_says_of_its_address_counts_for_nothing() -> None:
    assert client_address(_request(CLIENT, ("x-forwarded-for", FORGED)), [PROXY]) == CLIENT


@pytest.mark.parametrize(("lines", "country"), [(["IN"], "IN"), (["DE", "IN"], None), ([], None)])
def test_a_country_that_is_told_twice_is_not_known(lines: list[str], country: str | None) -> None:
    http = msgspec.structs.replace(
        HttpSettings(), trusted_proxies=[PROXY], country_header="X-Country"
    )
    request = _request(PROXY, *(("x-country", line) for line in lines))
    assert country_of(http, request.headers, PROXY, CLIENT) == country
