"""Authorities: bodies with powers, keys of their own, and a threshold of signatures."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

import msgspec
import pyrage
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.countries import require_countries
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.ids import new_id
from reelm.regions.models import Authority, AuthorityKey
from reelm.regions.orders.envelope import key_id, read_public_key
from reelm.regions.orders.statement import Power

POWERS: tuple[str, ...] = get_args(Power)
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
        Conflict: the key is known already, as this or another authority's.
    """
    known = authority(session, authority_id)
    public_key = read_public_key(public_key)
    new_key_id = key_id(public_key)
    holder = session.get(AuthorityKey, new_key_id)
    if holder is not None:
        raise Conflict("This key is known already; a key stands for one authority, and once.")
    session.add(
        AuthorityKey(
            key_id=new_key_id, authority_id=known.id, public_key=public_key, added_at=now()
        )
    )
    session.flush()
    audit.record(
        session, "regions.authority_key_added", authority_id=str(known.id), key_id=new_key_id
    )
    return new_key_id


def revoke_key(session: Session, authority_id: int, revoked_key_id: str) -> None:
    """Take a key away from an authority: what it signs from now on counts for nothing.

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


def set_recipient(session: Session, authority_id: int, recipient: str) -> None:
    """Encrypt disclosures to an authority to this age recipient from now on.

    Raises:
        Invalid: it is no age recipient.
        Missing: there is no such authority.
        Conflict: it is the authority's recipient already.
    """
    recipient = recipient.strip()
    _check_recipient(recipient)
    row = session.get(Authority, authority_id, with_for_update=True)
    if row is None:
        raise Missing(NO_AUTHORITY)
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
    unknown = sorted(set(new.powers) - set(POWERS))
    if unknown or not new.powers:
        raise Invalid(f"The powers of an authority are among: {', '.join(POWERS)}.")
    # Without a key an authority orders on paper only.
    most = max(1, len(set(new.keys)))
    if not 1 <= new.threshold <= most:
        raise Invalid(f"The threshold lies between 1 and the number of keys, here {most}.")
    for name, text, most in (("name", new.name, 200), ("objections", new.objections, 1000)):
        if not text.strip() or not text.isprintable() or len(text) > most:
            raise Invalid(f"{name} needs printable text of at most {most} characters.")
    if new.country is not None:
        require_countries([new.country], what="country")
    if new.recipient is not None:
        _check_recipient(new.recipient)


def _check_recipient(recipient: str) -> None:
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise Invalid("The recipient is an age public key that begins with age1.") from None
