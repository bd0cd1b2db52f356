"""Data keys: each account has one, wrapped by the region key; sealed columns are under it.

AES-256-GCM twice. The region key wraps the data keys; a data key seals columns. What is
authenticated beside the text is table, column and the id that owns the key, so a sealed value
that was moved to another row or column does not open, and one that stayed in its place opens
in any epoch and region (design.md rule 4.3). Destroying the row of `account_key` makes all that
the key sealed unreadable.

A report is sealed by a key of its own, kept under the report's id: people without an account
report too.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from reelm.accounts.models import AccountKey
from reelm.foundation.errors import Gone, Unavailable
from reelm.foundation.parts import Parts

KEY_BYTES = 32
# 96 bits, the length that NIST SP 800-38D section 8.2 recommends for GCM.
NONCE_BYTES = 12
# The first byte of a sealed value says how it was made, so that the way can change.
FORM = b"\x01"
# Makers of keys hold this advisory lock shared; the end of a rotation holds it alone.
ROTATION_LOCK = 0x7265656C6D03  # "reelm" 3


@dataclass(frozen=True)
class DataKey:
    """An unwrapped data key; lives as long as one request or job."""

    owner_id: int
    secret: bytes

    def seal(self, column: InstrumentedAttribute[Any], text: str) -> bytes:
        """Return `text` sealed for a column of this owner's row."""
        return self.seal_at(column.class_.__table__.name, column.key, text)

    def open(self, column: InstrumentedAttribute[Any], sealed: bytes) -> str:
        """Return the text of a sealed column.

        Raises:
            Unavailable: it was not sealed by this key for this column; it was tampered with.
        """
        return self.open_at(column.class_.__table__.name, column.key, sealed)

    def seal_at(self, table: str, column: str, text: str) -> bytes:
        """Seal by the names of table and column."""
        return _encrypt(self.secret, text.encode(), self._place(table, column))

    def open_at(self, table: str, column: str, sealed: bytes) -> str:
        """Open by the names of table and column."""
        return _decrypt(self.secret, sealed, self._place(table, column)).decode()

    def _place(self, table: str, column: str) -> str:
        return f"{table}.{column}.{self.owner_id}"


def make_key(session: Session, parts: Parts, owner_id: int) -> DataKey:
    """Make and keep the data key of a new account (or report)."""
    session.execute(select(func.pg_advisory_xact_lock_shared(ROTATION_LOCK)))
    region_key = current_region_key(parts)
    key = DataKey(owner_id, os.urandom(KEY_BYTES))
    session.add(
        AccountKey(
            account_id=owner_id,
            wrapped_key=wrap(region_key, owner_id, key.secret),
            region_key_version=version_of(region_key),
        )
    )
    session.flush()
    return key


def data_key(session: Session, parts: Parts, owner_id: int) -> DataKey:
    """Return the data key of an account.

    Raises:
        Gone: it was destroyed; what it sealed cannot be read any more.
        Unavailable: it is wrapped by a region key that is not here, or was tampered with.
    """
    row = session.execute(
        select(AccountKey.wrapped_key, AccountKey.region_key_version).where(
            AccountKey.account_id == owner_id
        )
    ).one_or_none()
    if row is None:
        raise Gone("The key of this data was destroyed, so nobody can read it any more.")
    region_key = region_keys(parts).get(row.region_key_version)
    if region_key is None:
        raise Unavailable("This data was sealed under another region key than those in keys/.")
    return DataKey(owner_id, unwrap(region_key, owner_id, row.wrapped_key))


def destroy_key(session: Session, owner_id: int) -> None:
    """Destroy a data key: what it sealed is unreadable from the commit on."""
    session.execute(delete(AccountKey).where(AccountKey.account_id == owner_id))


def derived_key(parts: Parts, purpose: str) -> bytes:
    """Return a key for one short-lived purpose that follows from the region key (RFC 5869)."""
    return _derive(parts.region_key, purpose)


def version_of(region_key: bytes) -> int:
    """Return the version of a region key: a check value that follows from the key itself.

    A counter beside the key could go astray in a restored backup; this cannot.
    """
    return int.from_bytes(_derive(region_key, "version")[:8], "big") >> 1


def current_region_key(parts: Parts) -> bytes:
    """Return the region key as it is on disk now; `parts` remembers the one it was opened with."""
    return bytes.fromhex(parts.home.secret("region-key"))


def region_keys(parts: Parts) -> dict[int, bytes]:
    """Return the region keys that are here, by version: one, or two during a rotation."""
    current = current_region_key(parts)
    found = {version_of(current): current}
    for name in ("region-key-next", "region-key-previous"):
        if (parts.home.keys / name).exists():
            key = bytes.fromhex(parts.home.secret(name))
            found[version_of(key)] = key
    return found


def wrap(region_key: bytes, owner_id: int, secret: bytes) -> bytes:
    """Wrap a data key."""
    return Wrapping(region_key).wrap(owner_id, secret)


def unwrap(region_key: bytes, owner_id: int, wrapped: bytes) -> bytes:
    """Unwrap a data key."""
    return Wrapping(region_key).unwrap(owner_id, wrapped)


class Wrapping:
    """One region key that wraps and unwraps many data keys: what follows from it is kept."""

    def __init__(self, region_key: bytes) -> None:
        self._region_key = region_key
        self._cipher = AESGCM(_derive(region_key, "wrap"))

    @cached_property
    def version(self) -> int:
        """The version of the region key."""
        return version_of(self._region_key)

    def wrap(self, owner_id: int, secret: bytes) -> bytes:
        """Wrap a data key."""
        return _sealed(self._cipher, secret, _wrapped_place(owner_id))

    def unwrap(self, owner_id: int, wrapped: bytes) -> bytes:
        """Unwrap a data key.

        Raises:
            Unavailable: another region key wrapped it, or another account's.
        """
        return _opened(self._cipher, wrapped, _wrapped_place(owner_id))


def key_owner(table: Table, column: str) -> str:
    """Return the column whose value names the owner of the key that seals `column`.

    It is the account unless the column says otherwise in its `info`.
    """
    return str(table.columns[column].info.get("key", "account_id"))


def _wrapped_place(owner_id: int) -> str:
    return f"{AccountKey.__tablename__}.wrapped_key.{owner_id}"


def _encrypt(key: bytes, plain: bytes, place: str) -> bytes:
    return _sealed(AESGCM(key), plain, place)


def _decrypt(key: bytes, sealed: bytes, place: str) -> bytes:
    return _opened(AESGCM(key), sealed, place)


def _sealed(cipher: AESGCM, plain: bytes, place: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return FORM + nonce + cipher.encrypt(nonce, plain, place.encode())


def _opened(cipher: AESGCM, sealed: bytes, place: str) -> bytes:
    form, nonce, body = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if form != FORM or len(nonce) != NONCE_BYTES:
        raise Unavailable("A sealed value is damaged.")
    try:
        return cipher.decrypt(nonce, body, place.encode())
    except InvalidTag:
        raise Unavailable("A sealed value was changed, or belongs to another place.") from None


def _derive(region_key: bytes, purpose: str) -> bytes:
    kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=f"reelm region key: {purpose}".encode())
    return kdf.derive(region_key)
