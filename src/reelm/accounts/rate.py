"""Limits on tries: how often one address or account may do a thing in a window of time.

Tries are counted in a short transaction of their own, so that the count stays when the request
fails and is rolled back. The table holds a keyed hash of who tried, never an address.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert

from reelm.accounts.keys import derived_key
from reelm.accounts.models import RateLimit
from reelm.foundation.clock import now
from reelm.foundation.errors import RateLimited
from reelm.foundation.parts import Parts


@dataclass(frozen=True)
class Limit:
    """At most `tries` of this kind by one subject in a window of `window_s` seconds."""

    kind: str
    tries: int
    window_s: int


# Many people share an address behind one mobile carrier, so limits by address are wide; those
# by account, and by account from one address, are narrow.
SIGN_IN_ADDRESS = Limit("sign_in.address", 100, 300)
SIGN_IN_HANDLE = Limit("sign_in.handle", 60, 3600)
SIGN_IN_PAIR = Limit("sign_in.pair", 10, 900)
SIGN_UP_ADDRESS = Limit("sign_up.address", 30, 3600)
RECOVERY_ADDRESS = Limit("recovery.address", 30, 3600)
RECOVERY_HANDLE = Limit("recovery.handle", 10, 3600)
PASSWORD_ACCOUNT = Limit("password.account", 10, 900)
# A code is one of a million and three are good at a time: five tries each quarter of an hour and
# fifty a day leave a guesser who knows the password one chance in 6,000 a day.
SECOND_FACTOR_ACCOUNT = Limit("second_factor.account", 5, 900)
SECOND_FACTOR_DAY = Limit("second_factor.day", 50, 86_400)
SECOND_FACTOR_ADDRESS = Limit("second_factor.address", 30, 900)
EXPORT_ACCOUNT = Limit("export.account", 5, 3600)
REPORT_ACCOUNT = Limit("report.account", 30, 3600)
REPORT_ADDRESS = Limit("report.address", 30, 3600)
GRIEVANCE_ADDRESS = Limit("grievance.address", 60, 3600)
ORDER_ADDRESS = Limit("order.address", 300, 300)
COMMENT_ACCOUNT = Limit("comment.account", 30, 300)


def count_try(parts: Parts, limit: Limit, *subject: str | int) -> None:
    """Count a try of `subject`, and refuse it when there were too many.

    Args:
        parts: the open region.
        limit: the kind of try.
        subject: who tries, such as an address, a handle, or both.

    Raises:
        RateLimited: with the seconds until the window ends.
    """
    if not parts.settings.http.rate_limits:
        return
    seconds = int(now().timestamp())
    ends = (seconds // limit.window_s + 1) * limit.window_s
    with parts.transaction() as session:
        tries = session.execute(
            insert(RateLimit)
            .values(
                subject=_blind(parts, limit, subject),
                window_ends_at=datetime.fromtimestamp(ends, UTC),
                tries=1,
            )
            .on_conflict_do_update(
                index_elements=[RateLimit.subject, RateLimit.window_ends_at],
                set_={"tries": RateLimit.tries + 1},
            )
            .returning(RateLimit.tries)
        ).scalar_one()
    if tries > limit.tries:
        wait_s = ends - seconds
        raise RateLimited(f"Too many tries; try again in {_spoken(wait_s)}.", wait_s)


def address_group(address: str) -> str:
    """Return the address that limits count by: of IPv6 the /64, which one household has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _blind(parts: Parts, limit: Limit, subject: tuple[str | int, ...]) -> bytes:
    text = "\x1f".join([limit.kind, *map(str, subject)])
    key = derived_key(parts, "rate limit subjects")
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
