"""Handles: the name in a person's address, unique without regard to case.

Uniqueness lives in its own table. The handle of an erased account stays taken for ever, so that
nobody poses as a person who left: a slow hash of it is kept, without any link to the account.
"""

import hashlib
import re

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts.models import Account, ErasedHandle, Handle
from reelm.foundation.errors import Conflict, Invalid, Missing

# The pages' and the platform's own names, and those that could pose as its staff.
RESERVED = frozenset({
    "about", "abuse", "account", "accounts", "admin", "administrator", "api", "assets",
    "authority", "avatars", "contact", "court", "discover", "erased", "everyone", "explore",
    "feed", "following", "government", "healthz", "help", "home", "import", "jobs", "legal", "me",
    "media", "metrics", "moderation", "moderator", "null", "official", "operator", "postmaster",
    "privacy", "recover", "reelm", "region", "report", "reports", "root", "search", "security",
    "settings", "sign-in", "sign-up", "staff", "support", "system", "team", "terms", "undefined",
    "upload", "webmaster", "www",
})  # fmt: skip
_SHAPE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_]|\.(?!\.)){1,28}[A-Za-z0-9_]")
TAKEN = "The handle @{} is taken; choose another."


def handle_key(handle: str) -> str:
    """Return what a handle is compared by."""
    return handle.removeprefix("@").lower()


def check_handle(handle: str) -> str:
    """Return `handle` if it may be one.

    Raises:
        Invalid: says the rule.
        Conflict: the name is reserved.
    """
    if not _SHAPE.fullmatch(handle):
        raise Invalid(
            "A handle has 3 to 30 of the letters a to z, digits, _ and . (no dot at either end, "
            "no two in a row)."
        )
    if handle_key(handle) in RESERVED:
        raise Conflict(TAKEN.format(handle))
    return handle


def take_handle(session: Session, account_id: int, handle: str) -> None:
    """Make `handle` the account's.

    Raises:
        Conflict: another account has it, or had it and was erased.
    """
    refusal = Conflict(TAKEN.format(handle))
    erased = select(ErasedHandle).where(ErasedHandle.handle_hash == erased_hash(handle))
    if session.scalars(erased).first():
        raise refusal
    taken = session.execute(
        insert(Handle)
        .values(handle_key=handle_key(handle), account_id=account_id)
        .on_conflict_do_nothing(index_elements=[Handle.handle_key])
        .returning(Handle.account_id)
    ).one_or_none()
    # Asked again: its holder may have been erased between the two statements above.
    if taken is None or session.scalars(erased).first():
        raise refusal


def account_of(session: Session, handle: str) -> int | None:
    """Return the id of the active account with this handle, or None."""
    if not _SHAPE.fullmatch(handle.removeprefix("@")):
        return None
    return session.scalar(
        select(Handle.account_id)
        .join(Account, Account.id == Handle.account_id)
        .where(Handle.handle_key == handle_key(handle), Account.state == "active")
    )


def account_named(session: Session, handle: str) -> int:
    """Return the id of the active account with this handle.

    Raises:
        Missing: there is none.
    """
    account_id = account_of(session, handle)
    if account_id is None:
        raise Missing(f"There is no account @{handle.removeprefix('@')[:30]}.")
    return account_id


def erased_hash(handle: str) -> bytes:
    """Return what is kept of an erased account's handle.

    scrypt (RFC 7914) with a fixed salt: it must be found again by the handle alone, in any
    epoch, so trying names is made slow rather than impossible. Handles were public anyway.
    """
    salt = b"reelm erased handle"
    return hashlib.scrypt(handle_key(handle).encode(), salt=salt, n=_cost, r=8, p=1, dklen=32)


# 16 MiB and some 50 ms for each name that is tried.
_cost = 1 << 14
