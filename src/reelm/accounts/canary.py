"""A made-up person and staff member, planted to try later whether anything of them can be had.

Everything follows from a seed, so that what is looked for need not be written down beside it.
"""

import hashlib

import msgspec
from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.handles import take_handle
from reelm.accounts.keys import DataKey, make_key, unwrap
from reelm.accounts.models import Account, AccountKey, AccountPrivate, Credential
from reelm.accounts.passwords import hash_password
from reelm.accounts.sessions import SecondFactorOf, begin_session
from reelm.foundation.clock import now
from reelm.foundation.errors import Unavailable
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts

PLACE = AccountPrivate.birth_date
NOBODY = "127.0.0.1"


class Canary(msgspec.Struct, frozen=True):
    """What was planted: `wrapped` and `sealed` are read back from the rows, as hex digits."""

    seed: str
    account: str  # its id, as in JSON everywhere
    token: str
    staff_token: str
    wrapped: str
    sealed: str

    @property
    def account_id(self) -> int:
        """The person's id."""
        return int(self.account)

    @property
    def text(self) -> str:
        """What lies sealed in one column and plain in another."""
        return canary_text(self.seed)

    @property
    def handle(self) -> str:
        """By which the person signs in."""
        return _handle(self.seed, "person")

    @property
    def password(self) -> str:
        """With which the person signs in."""
        return _told(self.seed, "password")


def canary_text(seed: str) -> str:
    """Return the text of a seed; it is nowhere written but where it is planted."""
    return f"reelm canary {_told(seed, 'text')}"


def plant_canary(session: Session, parts: Parts, seed: str) -> Canary:
    """Make a person with a password, a session and a sealed value, and a signed-in moderator.

    The audit log is not told of them: it has no entry that a region goes without later.
    """
    person = _add(session, parts, _handle(seed, "person"), canary_text(seed), role=None)
    sealed = person.seal(PLACE, canary_text(seed))
    session.add(AccountPrivate(account_id=person.owner_id, birth_date=sealed))
    digest = hash_password(_told(seed, "password"))
    session.add(Credential(account_id=person.owner_id, password_hash=digest, changed_at=now()))
    staff = _add(session, parts, _handle(seed, "staff"), canary_text(seed), role="moderator")
    token = _signed_in(session, parts, person.owner_id, "none")
    staff_token = _signed_in(session, parts, staff.owner_id, "passed")
    row = session.execute(
        select(AccountKey.wrapped_key, AccountPrivate.birth_date)
        .join(AccountPrivate, AccountPrivate.account_id == AccountKey.account_id)
        .where(AccountKey.account_id == person.owner_id)
    ).one()
    return Canary(
        seed=seed,
        account=str(person.owner_id),
        token=token,
        staff_token=staff_token,
        wrapped=bytes(row.wrapped_key).hex(),
        sealed=bytes(row.birth_date).hex(),
    )


def opens(canary: Canary, key: bytes) -> bool:
    """Whether these 32 bytes open the sealed value: as the region key, or as its data key."""
    try:
        secret = unwrap(key, canary.account_id, bytes.fromhex(canary.wrapped))
    except Unavailable:
        secret = key
    try:
        text = DataKey(canary.account_id, secret).open(PLACE, bytes.fromhex(canary.sealed))
    except (Unavailable, InvalidTag, UnicodeDecodeError):
        return False
    return text == canary.text


def _add(session: Session, parts: Parts, handle: str, bio: str, role: str | None) -> DataKey:
    account_id = new_id()
    take_handle(session, account_id, handle)
    session.add(
        Account(
            id=account_id,
            handle=handle,
            display_name=handle,
            bio=bio,
            links=[],
            role=role,
            created_at=now(),
        )
    )
    session.flush()
    return make_key(session, parts, account_id)


def _signed_in(
    session: Session, parts: Parts, account_id: int, second_factor: SecondFactorOf
) -> str:
    begun = begin_session(
        session,
        parts,
        account_id,
        address=NOBODY,
        user_agent="wind-down",
        second_factor=second_factor,
    )
    return begun.token


def _handle(seed: str, who: str) -> str:
    return f"canary_{_told(seed, who)[:16]}"


def _told(seed: str, purpose: str) -> str:
    return hashlib.sha256(f"reelm canary {purpose} {seed}".encode()).hexdigest()
