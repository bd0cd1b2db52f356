"""Sign in by handle and password.

A wrong handle and a wrong password are the same sentence after the same work, so that nobody
learns here which accounts exist.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_of, handle_key
from reelm.accounts.models import Credential
from reelm.accounts.passwords import (
    check_password,
    hash_password,
    is_outdated,
    verify_password,
)
from reelm.accounts.profile import handle_of
from reelm.accounts.rate import (
    PASSWORD_ACCOUNT,
    SIGN_IN_ADDRESS,
    SIGN_IN_HANDLE,
    SIGN_IN_PAIR,
    address_group,
    count_try,
)
from reelm.accounts.sessions import revoke_sessions
from reelm.foundation.clock import now
from reelm.foundation.database import fence
from reelm.foundation.errors import Forbidden, Unauthenticated
from reelm.foundation.parts import Parts

WRONG = "This handle and password do not match."


def sign_in(session: Session, parts: Parts, *, handle: str, password: str, address: str) -> int:
    """Return the id of the account that handle and password open.

    Raises:
        Unauthenticated: they do not match, or there is no such account; it does not say which.
        RateLimited: too many tries from the address or for the handle.
    """
    group, name = address_group(address), handle_key(handle)
    count_try(parts, SIGN_IN_ADDRESS, group)
    count_try(parts, SIGN_IN_PAIR, group, name)
    count_try(parts, SIGN_IN_HANDLE, name)
    account_id = account_of(session, handle)
    known = _password_hash(session, account_id)
    if not verify_password(known, password) or account_id is None or known is None:
        raise Unauthenticated(WRONG)
    if is_outdated(known) and not fence.is_closed(session):
        set_password(session, account_id, hash_password(password))
    return account_id


def confirm_password(session: Session, parts: Parts, account_id: int, password: str) -> None:
    """Check that the person at a signed-in browser is the one who knows the password.

    Raises:
        Forbidden: it is wrong.
        RateLimited: too many tries.
    """
    count_try(parts, PASSWORD_ACCOUNT, account_id)
    if not verify_password(_password_hash(session, account_id), password):
        raise Forbidden("The password is wrong.")


def change_password(
    session: Session,
    parts: Parts,
    account_id: int,
    *,
    current_password: str,
    new_password: str,
    keep_session_id: int | None = None,
) -> None:
    """Change the password and end all other sessions.

    Raises:
        Forbidden: the current password is wrong.
        Invalid: the new one is too weak.
    """
    check_password(new_password, handle_of(session, account_id))
    confirm_password(session, parts, account_id, current_password)
    set_password(session, account_id, hash_password(new_password))
    revoke_sessions(session, account_id, but=keep_session_id)


def set_password(session: Session, account_id: int, password_hash: str) -> None:
    """Keep the hash of an account's new password."""
    values = {"password_hash": password_hash, "changed_at": now()}
    changed = session.execute(
        update(Credential)
        .where(Credential.account_id == account_id)
        .values(values)
        .returning(Credential.account_id)
    ).one_or_none()
    if changed is None:
        session.add(Credential(account_id=account_id, **values))
        session.flush()


def _password_hash(session: Session, account_id: int | None) -> str | None:
    return session.scalar(
        select(Credential.password_hash).where(Credential.account_id == account_id)
    )
