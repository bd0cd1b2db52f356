"""What each staff role may do: the one table. An endpoint of the staff names the power it needs."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from reelm.foundation.errors import Forbidden

ROLES = ("owner", "officer", "moderator", "analyst", "authority")


class Power(StrEnum):
    """Something that only some of the staff may do."""

    SEE_CONSOLE = "see the console's first page"
    SEE_JOBS = "see the jobs"
    HANDLE_GRIEVANCES = "read and answer grievances"
    DECIDE = "decide on videos, comments and accounts"
    SEE_ORDERS = "see legal orders"
    HANDLE_ORDERS = "enter, check and carry out legal orders"
    KEEP_AUTHORITIES = "keep authorities and their keys"
    READ_ACCESS_LOG = "read who of the staff read what"
    KEEP_STAFF = "give roles and end second factors"
    USE_AUTHORITY_CHANNEL = "use the authority's channel"


_OWNER, _OFFICER, _MODERATOR, _ANALYST, _AUTHORITY = ({role} for role in ROLES)
MAY: Mapping[Power, frozenset[str]] = {
    Power.SEE_CONSOLE: frozenset(_OWNER | _OFFICER | _MODERATOR | _ANALYST),
    Power.SEE_JOBS: frozenset(_OWNER | _OFFICER | _MODERATOR | _ANALYST),
    Power.HANDLE_GRIEVANCES: frozenset(_OWNER | _OFFICER | _MODERATOR),
    Power.DECIDE: frozenset(_OWNER | _OFFICER | _MODERATOR),
    Power.SEE_ORDERS: frozenset(_OWNER | _OFFICER),
    Power.HANDLE_ORDERS: frozenset(_OWNER | _OFFICER),
    Power.KEEP_AUTHORITIES: frozenset(_OWNER),
    Power.READ_ACCESS_LOG: frozenset(_OWNER | _OFFICER),
    Power.KEEP_STAFF: frozenset(_OWNER),
    Power.USE_AUTHORITY_CHANNEL: frozenset(_AUTHORITY),
}


def role_at(role: str | None, until: datetime | None, at: datetime) -> str | None:
    """Return the role that an account has at a time: none once its end has come."""
    return None if until is not None and at >= until else role


def powers_of(role: str) -> frozenset[Power]:
    """Return what a role may do."""
    return frozenset(power for power, roles in MAY.items() if role in roles)


def may(role: str | None, power: Power) -> bool:
    """Return whether a role has a power."""
    return role in MAY[power]


def require(role: str | None, power: Power) -> None:
    """Refuse a viewer whose role does not have a power.

    Raises:
        Forbidden: says which roles have it.
    """
    if not may(role, power):
        roles = ", ".join(name for name in ROLES if name in MAY[power])
        raise Forbidden(f"To {power} is for the roles {roles}.")
