"""Sessions: one for each browser or program that is signed in.

A token is the account's id, the session's id and 32 random bytes; only its SHA-256 is kept. The
random part is long enough that a fast hash cannot be reversed.

Where the account has a second factor, a session begins as one that awaits it: it signs nobody in,
ends within minutes, and is replaced by a new one when the code has come.
"""

import base64
import binascii
import hashlib
import hmac
import os
import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, and_, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from reelm.accounts.keys import data_key
from reelm.accounts.models import Account, SignedIn
from reelm.accounts.powers import role_at
from reelm.foundation.clock import now
from reelm.foundation.database.prepared import Prepared, as_array
from reelm.foundation.errors import Missing
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts

# A phone in daily use stays signed in; one that was put away does not.
IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=180)
# Each request would otherwise write a row; a person reads this to the quarter of an hour.
SEEN_EVERY = timedelta(minutes=10)
# Time to fetch the device and type a code.
AWAITED = timedelta(minutes=10)
# What was opened with a second factor closes after a day's work.
PASSED = timedelta(hours=12)
_IDS = struct.Struct(">QQ")
_SECRET_BYTES = 32
SecondFactorOf = Literal["none", "awaited", "passed"]


class NewSession(msgspec.Struct, frozen=True):
    """A session that has just begun; the token is not to be had again."""

    account_id: int
    session_id: int
    token: str
    expires_at: datetime


class SignedInAccount(msgspec.Struct, frozen=True):
    """Who a token belongs to."""

    account_id: int
    session_id: int
    handle: str
    display_name: str
    role: str | None
    language: str | None
    second_factor: str = "none"
    # When the role ends by itself; None: not, or there is none.
    role_until: datetime | None = None


class ListedSession(msgspec.Struct, frozen=True):
    """A session as its account sees it."""

    session_id: int
    created_at: datetime
    last_seen_at: datetime
    address: str
    user_agent: str


def begin_session(
    session: Session,
    parts: Parts,
    account_id: int,
    *,
    address: str,
    user_agent: str,
    second_factor: SecondFactorOf = "none",
) -> NewSession:
    """Sign an account in from one browser or program; not yet, where a second factor is awaited."""
    key = data_key(session, parts, account_id)
    begun, session_id = now(), new_id()
    expires_at = begun + {"none": ABSOLUTE, "awaited": AWAITED, "passed": PASSED}[second_factor]
    secret = os.urandom(_SECRET_BYTES)
    session.add(
        SignedIn(
            account_id=account_id,
            id=session_id,
            token_hash=_hash(secret),
            address=key.seal(SignedIn.address, address[:100]),
            user_agent=key.seal(SignedIn.user_agent, user_agent[:400]),
            created_at=begun,
            last_seen_at=begun,
            expires_at=expires_at,
            second_factor=second_factor,
        )
    )
    session.flush()
    token = base64.urlsafe_b64encode(_IDS.pack(account_id, session_id) + secret).decode()
    return NewSession(account_id, session_id, token, expires_at)


def viewer_of(session: Session, token: str) -> SignedInAccount | None:
    """Return the account that a token signs in, or None; one query by primary key."""
    return viewers_of(session, [token])[0]


def viewers_of(session: Session, tokens: Sequence[str]) -> list[SignedInAccount | None]:
    """Return for each token the account that it signs in, or None; one query for all."""
    taken = [_taken_apart(token) for token in tokens]
    asked = {(one[0], one[1]) for one in taken if one is not None}
    if not asked:
        return [None] * len(tokens)
    account_ids, session_ids = zip(*asked, strict=True)
    rows = _SIGNED_IN.tuples(
        session, account_ids=as_array(account_ids), session_ids=as_array(session_ids)
    )
    found = {(row[0], row[1]): row[2:] for row in rows}
    at = now()
    return [None if one is None else _live(session, one, found.get(one[:2]), at) for one in taken]


def awaiting_account(session: Session, token: str) -> tuple[int, int] | None:
    """Return account and session of a token that awaits the second factor, or None."""
    taken = _taken_apart(token)
    if taken is None:
        return None
    row = session.execute(
        select(SignedIn.token_hash, SignedIn.expires_at).where(
            SignedIn.account_id == taken[0],
            SignedIn.id == taken[1],
            SignedIn.second_factor == "awaited",
        )
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.token_hash, _hash(taken[2])):
        return None
    return None if now() >= row.expires_at else taken[:2]


def mark_passed(session: Session, account_id: int, session_id: int) -> None:
    """Say of a live session that the second factor was just shown in it; it ends in hours."""
    session.execute(
        update(SignedIn)
        .where(SignedIn.account_id == account_id, SignedIn.id == session_id)
        .values(second_factor="passed", expires_at=now() + PASSED)
    )


def _live(
    session: Session, taken: tuple[int, int, bytes], row: tuple[Any, ...] | None, at: datetime
) -> SignedInAccount | None:
    account_id, session_id, secret = taken
    if row is None:
        return None
    token_hash, last_seen_at, expires_at, *who = row
    if not hmac.compare_digest(token_hash, _hash(secret)):
        return None
    if at >= expires_at or at >= last_seen_at + IDLE:
        return None
    if at >= last_seen_at + SEEN_EVERY:
        _see(session, account_id, session_id, at)
    found = SignedInAccount(account_id, session_id, *who)
    role = role_at(found.role, found.role_until, at)
    return found if role == found.role else msgspec.structs.replace(found, role=role)


def list_sessions(session: Session, parts: Parts, account_id: int) -> list[ListedSession]:
    """Return the account's live sessions, the last used first."""
    at = now()
    rows = session.scalars(
        select(SignedIn)
        .where(
            SignedIn.account_id == account_id,
            SignedIn.expires_at > at,
            SignedIn.last_seen_at > at - IDLE,
            SignedIn.second_factor != "awaited",
        )
        .order_by(SignedIn.last_seen_at.desc(), SignedIn.id.desc())
    ).all()
    key = data_key(session, parts, account_id)
    return [
        ListedSession(
            row.id,
            row.created_at,
            row.last_seen_at,
            key.open(SignedIn.address, row.address),
            key.open(SignedIn.user_agent, row.user_agent),
        )
        for row in rows
    ]


def revoke_session(session: Session, account_id: int, session_id: int) -> None:
    """End one session of the account.

    Raises:
        Missing: the account has no such session.
    """
    ended = session.execute(
        delete(SignedIn)
        .where(SignedIn.account_id == account_id, SignedIn.id == session_id)
        .returning(SignedIn.id)
    ).one_or_none()
    if ended is None:
        raise Missing("You have no such session; it may have ended already.")


def revoke_sessions(session: Session, account_id: int, *, but: int | None = None) -> None:
    """End all sessions of the account, but the one given."""
    ending = delete(SignedIn).where(SignedIn.account_id == account_id)
    session.execute(ending if but is None else ending.where(SignedIn.id != but))


def disable_sessions(session: Session, account_id: int) -> None:
    """End all sessions of the account, and leave their rows until these have been copied."""
    ended = update(SignedIn).where(SignedIn.account_id == account_id)
    # No token has this digest.
    session.execute(ended.values(token_hash=b""))


def sweep_sessions(session: Session) -> None:
    """Remove sessions that have expired."""
    at = now()
    session.execute(
        delete(SignedIn).where((SignedIn.expires_at <= at) | (SignedIn.last_seen_at <= at - IDLE))
    )


def _see(session: Session, account_id: int, session_id: int, at: datetime) -> None:
    # Requests of one page come at once: one of them writes, the others do not wait for it.
    free = (
        select(SignedIn.id)
        .where(SignedIn.account_id == account_id, SignedIn.id == session_id)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(SignedIn)
        .where(SignedIn.account_id == account_id, SignedIn.id.in_(free))
        .values(last_seen_at=at)
    )


def _taken_apart(token: str) -> tuple[int, int, bytes] | None:
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(raw) != _IDS.size + _SECRET_BYTES:
        return None
    account_id, session_id = _IDS.unpack_from(raw)
    if max(account_id, session_id) >= 1 << 63:
        return None
    return account_id, session_id, raw[_IDS.size :]


def _hash(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


_ASKED = (
    func.unnest(
        bindparam("account_ids", type_=ARRAY(BigInteger)),
        bindparam("session_ids", type_=ARRAY(BigInteger)),
    )
    .table_valued("account_id", "session_id", name="asked")
    .render_derived()
)
_SIGNED_IN = Prepared(
    select(
        SignedIn.account_id, SignedIn.id,
        SignedIn.token_hash, SignedIn.last_seen_at, SignedIn.expires_at,
        Account.handle, Account.display_name, Account.role, Account.language,
        SignedIn.second_factor, Account.role_until,
    )
    .join(Account, Account.id == SignedIn.account_id)
    .join(_ASKED, and_(
        SignedIn.account_id == _ASKED.c.account_id, SignedIn.id == _ASKED.c.session_id
    ))
    .where(Account.state == "active", SignedIn.second_factor != "awaited")
)  # fmt: skip
