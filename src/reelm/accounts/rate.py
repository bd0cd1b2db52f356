"""Limits on tries: how often one address or account may do a thing in a window of time.

Tries are counted in a short transaction of their own, so that the count stays when the request
fails and is rolled back. The table holds a keyed hash of who tried, never an address.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from reelm.accounts.keys import derived_key
from reelm.accounts.models import RateLimit
from reelm.foundation.clock import now
from reelm.foundation.errors import RateLimited, ReelmError
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
# A code is one of a million and three are good at a time: five wrong ones each quarter of an hour
# and fifty a day leave a guesser who knows the password one chance in 6,000 a day.
SECOND_FACTOR_ACCOUNT = Limit("second_factor.account", 5, 900)
SECOND_FACTOR_DAY = Limit("second_factor.day", 50, 86_400)
SECOND_FACTOR_ADDRESS = Limit("second_factor.address", 30, 900)
EXPORT_ACCOUNT = Limit("export.account", 5, 3600)
REPORT_ACCOUNT = Limit("report.account", 30, 3600)
REPORT_ADDRESS = Limit("report.address", 30, 3600)
GRIEVANCE_ADDRESS = Limit("grievance.address", 60, 3600)
ORDER_ADDRESS = Limit("order.address", 300, 300)
TRANSFER_ADDRESS = Limit("transfer.address", 300, 300)
ROOM_ADDRESS = Limit("room.address", 60, 300)
# A look counts every row of the region.
ROOM_VIEWS = Limit("room.views", 30, 300)
COMMENT_ACCOUNT = Limit("comment.account", 30, 300)
# Watches of people without an account: four hundred behind one address may end a video every ten
# seconds. As many made the log of signals some 2 MB larger when it was measured.
WATCH_ADDRESS = Limit("watch.address", 12_000, 300)


_INSERT = insert(RateLimit)
_COUNT = _INSERT.on_conflict_do_update(
    index_elements=[RateLimit.subject, RateLimit.window_ends_at],
    set_={"tries": RateLimit.tries + _INSERT.excluded.tries},
).returning(RateLimit.subject, RateLimit.tries)


def count_try(parts: Parts, limit: Limit, *subject: str | int) -> None:
    """Count a try of `subject`, and refuse it when there were too many.

    Args:
        parts: the open region.
        limit: the kind of try.
        subject: who tries, such as an address, a handle, or both.

    Raises:
        RateLimited: with the seconds until the window ends.
    """
    for refused in count_tries(parts, limit, {_joined(subject): 1}).values():
        raise refused


def count_tries(parts: Parts, limit: Limit, tries: Mapping[str, int]) -> dict[str, RateLimited]:
    """Count tries of several subjects at once, and return the refusals of those with too many.

    Args:
        parts: the open region.
        limit: the kind of try.
        tries: how many each subject made.
    """
    if not parts.settings.http.rate_limits or not tries:
        return {}
    ends = _window_end(limit)
    # In one order everywhere, so that two who count the same never wait for each other.
    of_hash = dict(sorted((_blind(parts, limit, subject), subject) for subject in tries))
    ends_at = datetime.fromtimestamp(ends, UTC)
    rows = [
        {"subject": hashed, "window_ends_at": ends_at, "tries": tries[subject]}
        for hashed, subject in of_hash.items()
    ]
    with parts.transaction() as session:
        found = session.execute(_COUNT, rows).all()
    wait_s = ends - int(now().timestamp())
    sentence = f"Too many tries; try again in {_spoken(wait_s)}."
    return {
        of_hash[hashed]: RateLimited(sentence, wait_s)
        for hashed, total in found
        if total > limit.tries
    }


def forgive_try(parts: Parts, limit: Limit, *subject: str | int) -> None:
    """Take back the try of `subject` that was counted last, because it was right.

    It was counted before it was looked at, so that many at once cannot pass the limit.
    """
    if not parts.settings.http.rate_limits:
        return
    with parts.transaction() as session:
        session.execute(
            update(RateLimit)
            .where(
                RateLimit.subject == _blind(parts, limit, _joined(subject)),
                RateLimit.window_ends_at == datetime.fromtimestamp(_window_end(limit), UTC),
                RateLimit.tries > 0,
            )
            .values(tries=RateLimit.tries - 1)
        )


@contextmanager
def counting_refused(parts: Parts, limit: Limit, address: str) -> Iterator[None]:
    """Count by address what the body refuses, and nothing else.

    So whoever sends rubbish from an authority's address does not lock the authority out.

    Raises:
        RateLimited: in place of the refusal, where there were too many.
    """
    try:
        yield
    except ReelmError:
        count_try(parts, limit, address_group(address))
        raise


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


def _joined(subject: tuple[str | int, ...]) -> str:
    return "\x1f".join(map(str, subject))


def _window_end(limit: Limit) -> int:
    return (int(now().timestamp()) // limit.window_s + 1) * limit.window_s


def _blind(parts: Parts, limit: Limit, subject: str) -> bytes:
    text = f"{limit.kind}\x1f{subject}"
    key = derived_key(parts, "rate limit subjects")
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
