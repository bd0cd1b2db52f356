"""Staff: accounts with a role."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_named, account_of
from reelm.accounts.models import Account, SecondFactor
from reelm.accounts.powers import ROLES, role_at
from reelm.accounts.recovery import replace_codes
from reelm.accounts.sessions import revoke_sessions
from reelm.accounts.sign_up import ensure_account
from reelm.audit import record
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.parts import Parts

LAST_OWNER = "@{} is the last owner: give that role to somebody else first."


class NewStaff(msgspec.Struct, frozen=True):
    """A staff account; new ones come with recovery codes to set the password with."""

    account_id: int
    is_new: bool
    recovery_codes: list[str]


class ListedStaff(msgspec.Struct, frozen=True):
    """A staff account as owners see it."""

    account_id: int
    handle: str
    role: str
    second_factor: str
    until: datetime | None = None


def list_staff(session: Session) -> list[ListedStaff]:
    """Return all staff, by role and handle."""
    rows = session.execute(
        select(
            Account.id,
            Account.handle,
            Account.role,
            SecondFactor.enrolled_at,
            Account.role_until,
        )
        .outerjoin(SecondFactor, SecondFactor.account_id == Account.id)
        .where(Account.role.is_not(None), Account.state == "active")
        .order_by(Account.handle)
    ).all()
    at = now()
    listed = [
        ListedStaff(
            row.id, row.handle, row.role, "ready" if row.enrolled_at else "none", row.role_until
        )
        for row in rows
        if role_at(row.role, row.role_until, at) is not None
    ]
    return sorted(listed, key=lambda one: ROLES.index(one.role))


def make_staff(
    session: Session, parts: Parts, *, handle: str, role: str, until: datetime | None = None
) -> NewStaff:
    """Give the account of this handle a role, making the account where there is none.

    With `until` the role ends by itself then.

    Raises:
        Invalid: there is no such role, or the handle cannot be one.
    """
    is_new = account_of(session, handle) is None
    account_id = ensure_account(session, parts, handle)
    set_role(session, handle=handle, role=role, until=until)
    codes = replace_codes(session, account_id) if is_new else []
    return NewStaff(account_id, is_new, codes)


def set_role(
    session: Session,
    *,
    handle: str,
    role: str | None,
    by: int | None = None,
    until: datetime | None = None,
) -> None:
    """Give an account a role, or with None take it away; it signs in again.

    Args:
        session: the transaction.
        handle: whose.
        role: which.
        by: the owner who does it; None: the operator, by command.
        until: when the role ends by itself; looked at on each request.

    Raises:
        Invalid: there is no such role.
        Missing: there is no such account.
        Conflict: it is the last owner.
    """
    if role is not None and role not in ROLES:
        raise Invalid(f"There is no role {role!r}; the roles are: {', '.join(ROLES)}.")
    account = session.get_one(Account, account_named(session, handle), with_for_update=True)
    if (account.role, account.role_until) == (role, until):
        return
    if role != "owner":
        refuse_last_owner(session, account)
    account.role, account.role_until = role, until
    session.flush()
    # What a session may do never changes under it.
    revoke_sessions(session, account.id)
    record(
        session,
        "accounts.role_set",
        account_id=str(account.id),
        role=role or "none",
        by="operator" if by is None else str(by),
    )


def end_all_roles(session: Session) -> None:
    """Take every staff role away: another operator is in charge, who chooses its own staff.

    Second factors do not go along, so that a former password alone would open what they opened.
    """
    staff = session.scalars(
        select(Account).where(Account.role.is_not(None)).order_by(Account.id).with_for_update()
    ).all()
    for account in staff:
        account.role, account.role_until = None, None
        revoke_sessions(session, account.id)
    session.flush()
    record(session, "accounts.roles_ended", count=len(staff))


def refuse_last_owner(session: Session, account: Account) -> None:
    """Refuse to go on when `account` is the only owner.

    Raises:
        Conflict: it is.
    """
    if account.role != "owner":
        return
    # All owners are locked in one order, so two of them cannot step down at once.
    owners = session.scalars(
        select(Account.id)
        .where(Account.role == "owner", Account.state == "active")
        .order_by(Account.id)
        .with_for_update()
    ).all()
    if len(owners) <= 1:
        raise Conflict(LAST_OWNER.format(account.handle))
