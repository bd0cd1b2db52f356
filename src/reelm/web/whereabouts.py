"""In which country a viewer is, as far as anybody can tell without asking somebody else.

Either a proxy that is trusted says so in a header, or a file in MaxMind's format tells it of the
address. Where neither does, nobody knows, and the viewer counts as inside every territory.
"""

from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

import maxminddb
from starlette.datastructures import Headers

from reelm.foundation.config import HttpSettings
from reelm.foundation.countries import countries
from reelm.foundation.errors import BadSetting


def country_of(http: HttpSettings, headers: Headers, peer: str, address: str) -> str | None:
    """Return an ISO 3166-1 alpha-2 code, or None where nobody knows.

    Args:
        http: the settings that say how to tell.
        headers: of the request.
        peer: the address that is connected to us; its header counts if it is a trusted proxy.
        address: the address of the client.
    """
    if http.country_header and peer in http.trusted_proxies:
        lines = headers.getlist(http.country_header)
        if len(lines) > 1:
            return None  # one of them may be the client's own
        told = _code(lines[0]) if lines else None
        if told is not None:
            return told
    if http.country_database:
        return _looked_up(http.country_database, address)
    return None


def check_database(http: HttpSettings) -> None:
    """Open the file that tells countries, if one is set.

    Raises:
        BadSetting: it is not there, or not in MaxMind's format.
    """
    if http.country_database:
        _reader(http.country_database)


def _looked_up(path: str, address: str) -> str | None:
    try:
        found = _reader(path).get(ip_address(address.partition("%")[0]))
    except ValueError:
        return None
    # `country` is where the address is used; `registered_country` where its owner sits.
    country = found.get("country") if isinstance(found, dict) else None
    code = country.get("iso_code") if isinstance(country, dict) else None
    return _code(code) if isinstance(code, str) else None


def _code(text: str) -> str | None:
    """Return a country's code; XX, or EU where the continent alone is known, is none."""
    code = text.strip().upper()
    return code if code in countries() else None


@lru_cache(maxsize=4)
def _reader(path: str) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(Path(path))
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        reason = getattr(error, "strerror", None) or "it is not in MaxMind's format"
        raise BadSetting(f"http.country_database {path} cannot be read: {reason}.") from None
