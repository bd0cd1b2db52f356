"""Transition grants: a staff role for somebody of the former operator, which ends by itself.

The role is that of an account in this region, and its end stands beside it: each request looks at
both (accounts/sessions.py). What is kept here is who was given what, why, and what came of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import accounts, audit, regions
from reelm.accounts import Power
from reelm.accounts.models import Account
from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.proofs.sale import digest_of
from reelm.transfer.current import KnownTransfer, transfers
from reelm.transfer.models import TransferStep
from reelm.transfer.steps import add_step, last_step, steps

# Nobody of a former operator gets at people's data: a role is granted that has no other power.
WITHOUT_PEOPLE = frozenset({Power.SEE_CONSOLE, Power.SEE_JOBS})
GRANTABLE = tuple(role for role in accounts.ROLES if accounts.powers_of(role) <= WITHOUT_PEOPLE)
# After a cutover, where the policy pack states no number of days.
DEFAULT_DAYS = 90
MOST_REASON = 500
GRANTED, USED = "granted", "grant_used"
State = Literal["live", "revoked", "expired"]
ENDED: dict[str, State] = {"grant_revoked": "revoked", "grant_expired": "expired"}


class Granted(msgspec.Struct, frozen=True):
    """What was granted, as it is kept."""

    id: int
    account_id: int
    role: str
    until: datetime
    reason: str


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant to somebody of the former operator, and what became of it."""

    id: int
    transfer_id: int
    operator: str
    account_id: int
    role: str
    reason: str
    made_at: datetime
    until: datetime
    used_at: datetime | None
    # When its end was logged.
    ended_at: datetime | None
    state: State


class _Of(msgspec.Struct, frozen=True):
    grant_id: int


def grant_access(
    session: Session, parts: Parts, *, handle: str, role: str, until: datetime, reason: str
) -> tuple[Grant, list[str]]:
    """Give an account a role until a time; return the grant, and recovery codes if it is new.

    Raises:
        Conflict: no sale was closed with this operator as its buyer, or the account has a role.
        Forbidden: the policy pack forbids such grants.
        Invalid: role, time or reason cannot be; says what can.
    """
    transfer = _sale_that_was_closed(session)
    _check(session, parts, role, until, reason)
    known = accounts.account_of(session, handle)
    if known is not None and session.get_one(Account, known).role is not None:
        raise Conflict(f"@{handle} has a role already: take that one first.")
    made = accounts.make_staff(session, parts, handle=handle, role=role, until=until)
    granted = Granted(new_id(), made.account_id, role, until, reason.strip())
    add_step(session, transfer.id, GRANTED, msgspec.json.encode(granted))
    audit.record(
        session,
        "transfer.access_granted",
        transfer_id=str(transfer.id),
        grant_id=str(granted.id),
        account_id=str(granted.account_id),
        role=role,
        until=utc_text(until),
        reason_digest=digest_of(canonical(granted.reason)),
    )
    return _found(session, granted.id), made.recovery_codes


def revoke_grant(session: Session, grant_id: int) -> Grant:
    """End a grant before its time; again changes nothing.

    Raises:
        Missing: there is no such grant.
    """
    found = _found(session, grant_id)
    if found.state == "live":
        _end(session, found, "grant_revoked")
    return _found(session, grant_id)


def grants(session: Session) -> list[Grant]:
    """Return the grants of every sale of this region, the newest first."""
    found = [one for sale in transfers(session) for one in _of_sale(session, sale)]
    return sorted(found, key=lambda one: -one.id)


def live_grants(session: Session) -> list[Grant]:
    """Return what somebody of a former operator may do now."""
    if session.scalar(select(TransferStep.id).where(TransferStep.kind == GRANTED).limit(1)) is None:
        return []  # as nearly everywhere: no scope has to be read for it
    return [one for one in grants(session) if one.state == "live"]


def note_use(session: Session, account_id: int | None) -> None:
    """Log that a grant is used, at its first use."""
    for one in live_grants(session):
        if one.account_id == account_id and one.used_at is None:
            add_step(session, one.transfer_id, USED, msgspec.json.encode(_Of(one.id)))
            audit.record(
                session,
                "transfer.access_used",
                transfer_id=str(one.transfer_id),
                grant_id=str(one.id),
            )


def end_grants(session: Session) -> int:
    """Take the roles whose time has come, and log each end; return how many were logged.

    The roles are none any more from their time on, whenever this is called. A role that was taken
    or changed in another way ends its grant, too.
    """
    over = [one for one in grants(session) if one.state != "live" and one.ended_at is None]
    for one in over:
        _end(session, one, "grant_expired" if one.state == "expired" else "grant_revoked")
    return len(over)


def _sale_that_was_closed(session: Session) -> KnownTransfer:
    """Return the sale by which the operator in charge came to be so."""
    key = regions.current_tenure(session).public_key
    for sale in transfers(session):
        if sale.ending == "cutover" and sale.scope.buyer.public_key == key:
            return sale
    raise Conflict("There is no former operator here: grants follow the cutover of a sale.")


def _check(session: Session, parts: Parts, role: str, until: datetime, reason: str) -> None:
    if role not in GRANTABLE:
        raise Invalid(
            f"Only {' or '.join(GRANTABLE)} can be granted to a former operator: every other role"
            " sees data of people, or acts on it."
        )
    if not reason.strip() or not reason.isprintable() or len(reason) > MOST_REASON:
        raise Invalid(f"Say why, in at most {MOST_REASON} characters: everybody can read it.")
    pack = regions.load_pack(parts.settings.region.jurisdiction)
    if pack.transition_grants_allowed.value is False:
        raise Forbidden(
            f"The policy pack {pack.jurisdiction} forbids access of a former operator:"
            f" {pack.transition_grants_allowed.source}."
        )
    days = pack.transition_grant_days.value or DEFAULT_DAYS
    latest = regions.current_tenure(session).began_at + timedelta(days=days)
    if not regions.time_bounds(session).latest < until <= latest:
        raise Invalid(
            f"Such access ends {days} days after the cutover at the latest: name a time between now"
            f" and {utc_text(latest)}."
        )


def _of_sale(session: Session, sale: KnownTransfer) -> list[Grant]:
    taken = steps(session, sale.id)
    return [_grant(session, sale, one, taken) for one in taken if one.kind == GRANTED]


def _grant(
    session: Session, sale: KnownTransfer, step: TransferStep, taken: Sequence[TransferStep]
) -> Grant:
    told = msgspec.json.decode(step.document, type=Granted)
    about = [
        one
        for one in taken
        if one.kind in {USED, *ENDED}
        and msgspec.json.decode(one.document, type=_Of).grant_id == told.id
    ]
    used, ended = last_step(about, USED), last_step(about, *ENDED)
    return Grant(
        **msgspec.structs.asdict(told),
        transfer_id=sale.id,
        operator=sale.scope.seller.operator,
        made_at=step.made_at,
        used_at=None if used is None else used.made_at,
        ended_at=None if ended is None else ended.made_at,
        state=_state(session, told) if ended is None else ENDED[ended.kind],
    )


def _state(session: Session, told: Granted) -> State:
    if regions.time_bounds(session).latest >= told.until:
        return "expired"
    return "live" if _has_role(session, told) else "revoked"


def _has_role(session: Session, told: Granted | Grant) -> bool:
    account = session.get(Account, told.account_id)
    return account is not None and (account.role, account.role_until) == (told.role, told.until)


def _found(session: Session, grant_id: int) -> Grant:
    for one in grants(session):
        if one.id == grant_id:
            return one
    raise Missing(f"There is no grant {grant_id}: `reelm transfer grants list` lists them.")


def _end(session: Session, ended: Grant, kind: str) -> None:
    if _has_role(session, ended):
        handle = session.get_one(Account, ended.account_id).handle
        accounts.set_role(session, handle=handle, role=None)
    add_step(session, ended.transfer_id, kind, msgspec.json.encode(_Of(ended.id)))
    audit.record(
        session,
        "transfer.access_ended",
        transfer_id=str(ended.transfer_id),
        grant_id=str(ended.id),
        ending=ENDED[kind],
    )
