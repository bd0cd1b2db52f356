"""Who is asking: a signed-in account, or an anonymous viewer known by a signed cookie."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from reelm import accounts, feed
from reelm.foundation.database import Session
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.web.whereabouts import country_of

SESSION_COOKIE = "reelm_session"
VIEWER_COOKIE = "reelm_viewer"
# Where people of an authority work.
CHANNEL = "/console/channel"
# An anonymous viewer's impressions are dropped after this long without a visit.
VIEWER_COOKIE_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Viewer:
    """The person watching. `id` is the account's id, or the anonymous viewer's."""

    id: int
    account_id: int | None
    handle: str | None
    role: str | None
    session_id: int | None
    address: str
    user_agent: str
    is_new: bool = False
    # Whether the second factor was shown in this session.
    has_second_factor: bool = False
    # Where the person is, an ISO 3166-1 alpha-2 code; None: nobody knows.
    country: str | None = None
    # When the role ends by itself, as what was granted to a former operator does.
    role_until: datetime | None = None

    @property
    def is_staff(self) -> bool:
        """Whether the account has a staff role."""
        return self.role is not None

    @property
    def console(self) -> str:
        """Where the console begins for the viewer's role."""
        has_more = not self.is_staff or accounts.may(self.role, accounts.Power.SEE_CONSOLE)
        return "/console" if has_more else CHANNEL


@dataclass
class Cookies:
    """Cookies that an endpoint wants set on its response."""

    is_secure: bool
    _values: SimpleCookie = field(default_factory=SimpleCookie)

    def sign_in(self, token: str, expires_at: datetime) -> None:
        """Set the session cookie."""
        self._set(SESSION_COOKIE, token, int((expires_at - datetime.now(UTC)).total_seconds()))

    def sign_out(self) -> None:
        """Remove the session cookie."""
        self._set(SESSION_COOKIE, "", 0)

    def remember(self, viewer: Viewer, key: bytes) -> None:
        """Set the anonymous viewer's cookie."""
        self.remember_id(viewer.id, key)

    def remember_id(self, viewer_id: int, key: bytes) -> None:
        """Set the cookie of the anonymous viewer with this id."""
        self._set(VIEWER_COOKIE, f"{viewer_id}.{_mac(key, viewer_id)}", VIEWER_COOKIE_S)

    def apply(self, response: Response) -> None:
        """Write the cookies to `response`."""
        for morsel in self._values.values():
            response.headers.append("set-cookie", morsel.OutputString())

    def _set(self, name: str, value: str, max_age_s: int) -> None:
        self._values[name] = value
        morsel = self._values[name]
        morsel["path"], morsel["max-age"] = "/", str(max_age_s)
        morsel["httponly"], morsel["samesite"] = True, "Lax"
        if self.is_secure:
            morsel["secure"] = True


class Call(NamedTuple):
    """One of the requests that are answered together: who asks, as cookies say, and for what."""

    token: str
    known_id: int | None
    arguments: dict[str, Any]
    country: str | None = None
    address: str = ""


class Answered(NamedTuple):
    """A response of status 200 with JSON, or of 204; a new viewer's id is to be remembered."""

    body: bytes
    new_id: int | None = None


class Person(NamedTuple):
    """Who asks, and what holds for them."""

    viewer_id: int
    account_id: int | None
    settings: feed.FeedSettings
    new_id: int | None
    country: str | None


def call_of(parts: Parts, scope: Scope, arguments: dict[str, Any]) -> Call:
    """Return what a request is, as far as can be told without the database."""
    request = HTTPConnection(scope)
    cookies = request.cookies
    known = _known(cookies.get(VIEWER_COOKIE, ""), viewer_key(parts.region_key))
    return Call(
        cookies.get(SESSION_COOKIE, ""),
        known,
        arguments,
        country_at(parts, request),
        client_address(request, parts.settings.http.trusted_proxies),
    )


def people_of(session: Session, parts: Parts, calls: Sequence[Call]) -> list[Person]:
    """Return who sends each call; a wrong or old cookie makes an anonymous viewer."""
    accounts_found = accounts.viewers_of(session, [call.token for call in calls])
    ids = list[tuple[int, int | None, int | None]]()
    for call, found in zip(calls, accounts_found, strict=True):
        if found is not None:
            ids.append((found.account_id, found.account_id, None))
        else:
            new = new_id() if call.known_id is None else None
            ids.append((call.known_id or new or 0, None, new))
    # Nothing can have been set for somebody who comes for the first time.
    known = [(viewer_id, account_id) for viewer_id, account_id, new in ids if new is None]
    settings = dict(zip(known, feed.settings_of(session, parts, known), strict=True))
    default = feed.default_settings(parts)
    return [
        Person(
            viewer_id, account_id, settings.get((viewer_id, account_id), default), new, call.country
        )
        for (viewer_id, account_id, new), call in zip(ids, calls, strict=True)
    ]


def viewer_of(session: Session, parts: Parts, request: HTTPConnection) -> Viewer:
    """Return who sends this request; a wrong or old cookie makes an anonymous viewer."""
    address = client_address(request, parts.settings.http.trusted_proxies)
    country = country_at(parts, request)
    user_agent = request.headers.get("user-agent", "")[:400]
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        found = accounts.viewer_of(session, token)
        if found is not None:
            return Viewer(
                found.account_id,
                found.account_id,
                found.handle,
                found.role,
                found.session_id,
                address,
                user_agent,
                has_second_factor=found.second_factor == "passed",
                country=country,
                role_until=found.role_until,
            )
    known = _known(request.cookies.get(VIEWER_COOKIE, ""), viewer_key(parts.region_key))
    return Viewer(
        known or new_id(),
        None,
        None,
        None,
        None,
        address,
        user_agent,
        is_new=known is None,
        country=country,
    )


def country_at(parts: Parts, request: HTTPConnection) -> str | None:
    """Return the country that a request comes from, or None where nobody knows."""
    http = parts.settings.http
    if not (http.country_header or http.country_database):
        return None
    peer = request.client.host if request.client else ""
    address = client_address(request, http.trusted_proxies)
    return country_of(http, request.headers, peer, address)


def client_address(request: HTTPConnection, trusted_proxies: list[str]) -> str:
    """Return the client's address, as the last proxy that is not ours saw it."""
    address = request.client.host if request.client else ""
    if address not in trusted_proxies:
        return address
    # A proxy adds itself to the line that came, or in a line of its own after it.
    line = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in line.split(",")]
    for hop in reversed([hop for hop in hops if hop]):
        address = hop
        if hop not in trusted_proxies:
            break
    return address


@lru_cache(maxsize=4)
def viewer_key(region_key: bytes) -> bytes:
    """Return the key that signs anonymous viewers' cookies."""
    return hmac.digest(region_key, b"reelm anonymous viewer cookie", hashlib.sha256)


def _known(cookie: str, key: bytes) -> int | None:
    text, _, mac = cookie.partition(".")
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if hmac.compare_digest(mac, _mac(key, number)) else None


def _mac(key: bytes, number: int) -> str:
    return hmac.digest(key, str(number).encode(), hashlib.sha256).hex()[:32]
