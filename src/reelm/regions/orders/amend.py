"""Correct what is registered of an authority, or end it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.countries import require_countries
from reelm.foundation.errors import Conflict
from reelm.regions.orders.authorities import KnownAuthority, authority, standing
from reelm.regions.orders.authority_facts import (
    check_name,
    check_objections,
    check_powers,
    check_threshold,
)


class AuthorityChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is otherwise from now on; None leaves a field as it is, an empty country means none."""

    name: str | None = None
    powers: Sequence[str] | None = None
    threshold: int | None = None
    objections: str | None = None
    country: str | None = None


def change_authority(
    session: Session, authority_id: int, change: AuthorityChange
) -> KnownAuthority:
    """Correct what is registered of an authority; what it ordered before holds.

    Raises:
        Invalid: a field is wrong; says which.
        Missing: there is no such authority.
        Conflict: it has ended, or nothing would change.
    """
    row = standing(session, authority_id)
    _check(change)
    if change.threshold not in (None, row.threshold):
        check_threshold(change.threshold or 0, len(authority(session, authority_id).live_keys))
    values = {name: value for name, value in _values(change).items() if getattr(row, name) != value}
    if not values:
        raise Conflict("Nothing of this authority would change.")
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    country = {} if row.country is None else {"country": row.country}
    audit.record(
        session,
        "regions.authority_changed",
        authority_id=str(row.id),
        changed=sorted(values),
        name=row.name,
        powers=row.powers,
        threshold=row.threshold,
        **country,
    )
    return authority(session, authority_id)


def end_authority(session: Session, authority_id: int) -> None:
    """End an authority for good: its keys order nothing more, what it ordered holds until lifted.

    Raises:
        Missing: there is no such authority.
        Conflict: it has ended already.
    """
    row = standing(session, authority_id)
    row.ended_at = now()
    session.flush()
    audit.record(session, "regions.authority_ended", authority_id=str(row.id))


def _check(change: AuthorityChange) -> None:
    if change.name is not None:
        check_name(change.name)
    if change.powers is not None:
        check_powers(change.powers)
    if change.objections is not None:
        check_objections(change.objections)
    if change.country:
        require_countries([change.country], what="country")


def _values(change: AuthorityChange) -> dict[str, Any]:
    """Return the columns that a change names, as they are to be."""
    given: dict[str, Any] = {
        "name": None if change.name is None else change.name.strip(),
        "powers": None if change.powers is None else sorted(set(change.powers)),
        "threshold": change.threshold,
        "objections": None if change.objections is None else change.objections.strip(),
    }
    values = {name: value for name, value in given.items() if value is not None}
    return values if change.country is None else values | {"country": change.country or None}
