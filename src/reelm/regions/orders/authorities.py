"""Authorities: bodies with powers, keys of their own, and a threshold of signatures."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.countries import require_countries
from reelm.foundation.envelope import key_id, read_public_key
from reelm.foundation.errors import Conflict, Missing
from reelm.foundation.ids import new_id
from reelm.regions.models import Authority, AuthorityKey
from reelm.regions.orders.authority_facts import (
    check_name,
    check_objections,
    check_powers,
    check_recipient,
    check_threshold,
)

NO_AUTHORITY = "There is no such authority in this region."


class NewAuthority(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an authority when it is registered.

    Args:
        name: as people know it.
        powers: what it may order or agree to.
        keys: its Ed25519 public keys, hex or base64; none where it orders on paper only.
        threshold: how many of its keys sign an order.
        objections: where to object to what it orders, an address on the web or on paper.
        country: ISO 3166-1 alpha-2, or None for none.
        recipient: the age recipient to which disclosures are encrypted.
    """

    name: str
    powers: Sequence[str]
    keys: Sequence[str]
    threshold: int = 1
    objections: str
    country: str | None = None
    recipient: str | None = None


class KnownKey(msgspec.Struct, frozen=True):
    """A key of an authority."""

    key_id: str
    public_key: str
    added_at: datetime
    revoked_at: datetime | None


class KnownAuthority(msgspec.Struct, frozen=True):
    """An authority with its keys."""

    id: int
    name: str
    country: str | None
    powers: list[str]
    threshold: int
    objections: str
    recipient: str | None
    added_at: datetime
    ended_at: datetime | None
    keys: list[KnownKey]

    @property
    def live_keys(self) -> list[str]:
        """The public keys that are not revoked."""
        return [key.public_key for key in self.keys if key.revoked_at is None]

    @property
    def warning(self) -> str:
        """That too few keys are left to sign an order; empty where enough are, or never were."""
        left = len(self.live_keys)
        if self.ended_at is not None or not self.keys or left >= self.threshold:
            return ""
        keys = f"{left or 'no'} key{'s' if left > 1 else ''}"
        needed = f"{self.threshold} {'has' if self.threshold == 1 else 'have'}"
        return (
            f"It has {keys} left and {needed} to sign: it can order on paper only, until it has"
            " more keys or a lower threshold."
        )


def add_authority(session: Session, new: NewAuthority) -> int:
    """Register an authority with its keys, and return its id.

    Raises:
        Invalid: a field is wrong; says which.
        Conflict: a key is another authority's.
    """
    _check(new)
    authority_id = new_id()
    session.add(
        Authority(
            id=authority_id,
            name=new.name.strip(),
            country=new.country,
            powers=sorted(set(new.powers)),
            threshold=new.threshold,
            objections=new.objections.strip(),
            added_at=now(),
        )
    )
    session.flush()
    audit.record(
        session,
        "regions.authority_added",
        authority_id=str(authority_id),
        name=new.name.strip(),
        powers=sorted(set(new.powers)),
        threshold=new.threshold,
    )
    if new.recipient is not None:
        set_recipient(session, authority_id, new.recipient)
    for key in new.keys:
        add_key(session, authority_id, key)
    return authority_id


def add_key(session: Session, authority_id: int, public_key: str) -> str:
    """Give an authority one more key, and return its keyid.

    Raises:
        Invalid: it is no Ed25519 public key.
        Missing: there is no such authority.
        Conflict: it has ended, or the key is or was one already, of this or another authority.
    """
    row = standing(session, authority_id)
    public_key = read_public_key(public_key)
    new_key_id = key_id(public_key)
    _refuse_known(session, new_key_id)
    session.add(
        AuthorityKey(key_id=new_key_id, authority_id=row.id, public_key=public_key, added_at=now())
    )
    session.flush()
    audit.record(
        session, "regions.authority_key_added", authority_id=str(row.id), key_id=new_key_id
    )
    return new_key_id


def _refuse_known(session: Session, new_key_id: str) -> None:
    held = session.execute(
        select(Authority.name, AuthorityKey.revoked_at)
        .join(Authority, Authority.id == AuthorityKey.authority_id)
        .where(AuthorityKey.key_id == new_key_id)
    ).one_or_none()
    if held is None:
        return
    if held.revoked_at is not None:
        raise Conflict(
            f"This key was {held.name}'s and was revoked on {held.revoked_at:%Y-%m-%d}; what was"
            " revoked is not taken again."
        )
    raise Conflict(f"This key is {held.name}'s already; a key stands for one authority, and once.")


def revoke_key(session: Session, authority_id: int, revoked_key_id: str) -> KnownAuthority:
    """Take a key away from an authority: what it signs from now on counts for nothing.

    Returns the authority with what is left; its `warning` says where that is too little.

    Raises:
        Missing: the authority has no such key.
        Conflict: it is revoked already.
    """
    row = session.get(AuthorityKey, revoked_key_id, with_for_update=True)
    if row is None or row.authority_id != authority_id:
        raise Missing("This authority has no such key.")
    if row.revoked_at is not None:
        raise Conflict("This key is revoked already.")
    row.revoked_at = now()
    session.flush()
    audit.record(
        session,
        "regions.authority_key_revoked",
        authority_id=str(authority_id),
        key_id=revoked_key_id,
    )
    return authority(session, authority_id)


def set_recipient(session: Session, authority_id: int, recipient: str) -> None:
    """Encrypt disclosures to an authority to this age recipient from now on.

    Raises:
        Invalid: it is no age recipient.
        Missing: there is no such authority.
        Conflict: it has ended, or that is its recipient already.
    """
    recipient = recipient.strip()
    check_recipient(recipient)
    row = standing(session, authority_id)
    if row.recipient == recipient:
        raise Conflict("Disclosures to this authority are encrypted to this recipient already.")
    row.recipient = recipient
    session.flush()
    audit.record(
        session,
        "regions.authority_recipient_set",
        authority_id=str(authority_id),
        recipient=recipient,
    )


def standing(session: Session, authority_id: int) -> Authority:
    """Return the row of an authority that has not ended, locked.

    Raises:
        Missing: there is no such authority.
        Conflict: it has ended.
    """
    row = session.get(Authority, authority_id, with_for_update=True)
    if row is None:
        raise Missing(NO_AUTHORITY)
    if row.ended_at is not None:
        raise Conflict(f"The authority {row.name} has ended.")
    return row


def authority(session: Session, authority_id: int) -> KnownAuthority:
    """Return an authority with its keys.

    Raises:
        Missing: there is no such authority.
    """
    found = authorities(session, authority_id=authority_id)
    if not found:
        raise Missing(NO_AUTHORITY)
    return found[0]


def ordering_authority(session: Session, authority_id: int) -> KnownAuthority:
    """Return an authority, and take its orders one after the other until the commit.

    Raises:
        Missing: there is no such authority.
    """
    session.execute(select(Authority.id).where(Authority.id == authority_id).with_for_update())
    return authority(session, authority_id)


def authorities(session: Session, *, authority_id: int | None = None) -> list[KnownAuthority]:
    """Return the region's authorities, the first registered first."""
    query = select(Authority).order_by(Authority.id)
    keys = select(AuthorityKey).order_by(AuthorityKey.added_at, AuthorityKey.key_id)
    if authority_id is not None:
        query = query.where(Authority.id == authority_id)
        keys = keys.where(AuthorityKey.authority_id == authority_id)
    by_authority: dict[int, list[KnownKey]] = {}
    for key in session.scalars(keys):
        known = KnownKey(key.key_id, key.public_key, key.added_at, key.revoked_at)
        by_authority.setdefault(key.authority_id, []).append(known)
    return [
        KnownAuthority(
            row.id,
            row.name,
            row.country,
            row.powers,
            row.threshold,
            row.objections,
            row.recipient,
            row.added_at,
            row.ended_at,
            by_authority.get(row.id, []),
        )
        for row in session.scalars(query)
    ]


def _check(new: NewAuthority) -> None:
    check_powers(new.powers)
    check_threshold(new.threshold, len(set(new.keys)))
    check_name(new.name)
    check_objections(new.objections)
    if new.country is not None:
        require_countries([new.country], what="country")
    if new.recipient is not None:
        check_recipient(new.recipient)
