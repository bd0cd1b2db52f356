"""Passwords: argon2id, a floor of strength, and equal work whether or not the account exists."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from reelm.accounts.handles import handle_key
from reelm.foundation.errors import Invalid, Unavailable

FEWEST, MOST = 8, 200
# RFC 9106 section 4, the second recommended option: 64 MiB, 3 passes, 4 lanes.
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Each hash holds 64 MiB for about 0.1 s, so a burst of sign-ins must not run all at once.
_slots = threading.BoundedSemaphore(3)
_WAIT_S = 20


def check_password(password: str, handle: str) -> None:
    """Refuse a password that is guessed first.

    Raises:
        Invalid: it is too short, too long, among the most common, or the handle itself.
    """
    if not FEWEST <= len(password) <= MOST:
        raise Invalid(f"A password has {FEWEST} to {MOST} characters.")
    plain = password.casefold()
    if plain in _common() or plain == handle_key(handle) or len(set(plain)) == 1:
        raise Invalid("This password is among those that are guessed first; choose another.")


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    with _slot():
        return _hasher.hash(_prepared(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether the password is right.

    With None (no such account, or one without a password) a hash of the same cost is checked,
    so that the time does not tell which handles exist.
    """
    with _slot():
        try:
            _hasher.verify(password_hash or _nobodys_hash(), _prepared(password))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Return whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=_WAIT_S):
        raise Unavailable("Too many people are signing in just now; try again in a minute.")
    try:
        yield
    finally:
        _slots.release()


def _prepared(password: str) -> str:
    # NIST SP 800-63B section 5.1.1.2: the same password typed on two keyboards is the same.
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("the password of nobody")


@cache
def _common() -> frozenset[str]:
    text = (resources.files("reelm.accounts") / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
