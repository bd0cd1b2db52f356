"""The second factor of staff: codes that a device makes from a shared secret (TOTP, RFC 6238).

An account that has set one up signs in with password and code; a session that waits for the code
opens nothing. A recovery code replaces the password and never the second factor, so that neither
a sheet of paper nor a lost telephone alone is enough. Who has lost the device asks an owner to end
the second factor; for the last owner the operator does it by `reelm accounts reset`.
"""

from typing import Literal

import msgspec
import pyotp
import segno
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_named
from reelm.accounts.keys import data_key
from reelm.accounts.models import SecondFactor
from reelm.accounts.profile import handle_of
from reelm.accounts.rate import (
    SECOND_FACTOR_ACCOUNT,
    SECOND_FACTOR_ADDRESS,
    SECOND_FACTOR_DAY,
    Limit,
    address_group,
    count_try,
    forgive_try,
)
from reelm.accounts.sessions import mark_passed, revoke_sessions
from reelm.accounts.sign_in import confirm_password
from reelm.audit import record
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Missing, Unauthenticated
from reelm.foundation.parts import Parts

# Steps of 30 s before and after the present one whose codes are taken too: the drift of a clock,
# and the time that typing takes (RFC 6238 section 5.2 recommends one step at most).
DRIFT_STEPS = 1
WRONG = "This code is wrong or was used before; wait for the next one."
State = Literal["none", "begun", "ready"]


class Enrolment(msgspec.Struct, frozen=True):
    """What a device needs to make codes; shown until the first code has come back."""

    secret: str
    uri: str
    picture: str  # the address as a QR code, an SVG element


def second_factor_state(session: Session, account_id: int) -> State:
    """Return whether the account has a second factor, or has begun to set one up."""
    row = session.execute(
        select(SecondFactor.enrolled_at).where(SecondFactor.account_id == account_id)
    ).one_or_none()
    if row is None:
        return "none"
    return "begun" if row.enrolled_at is None else "ready"


def begin_enrolment(session: Session, parts: Parts, account_id: int, *, password: str) -> Enrolment:
    """Make a new secret for the account's device, after its password was checked.

    Raises:
        Conflict: the account has a second factor.
        Forbidden: the password is wrong.
    """
    confirm_password(session, parts, account_id, password)
    row = session.get(SecondFactor, account_id, with_for_update=True)
    if row is not None and row.enrolled_at is not None:
        raise Conflict("You have a second factor: end it first, with one of its codes.")
    key = data_key(session, parts, account_id)
    sealed = key.seal(SecondFactor.secret, pyotp.random_base32())
    if row is None:
        session.add(SecondFactor(account_id=account_id, secret=sealed, last_step=0))
    else:
        row.secret = sealed
    session.flush()
    return begun_enrolment(session, parts, account_id)


def begun_enrolment(session: Session, parts: Parts, account_id: int) -> Enrolment:
    """Return an enrolment that was begun and waits for its first code.

    Raises:
        Missing: none was begun.
        Conflict: the account has a second factor; its secret is not shown again.
    """
    row = session.get(SecondFactor, account_id)
    if row is None:
        raise Missing("You have not begun to set up a second factor.")
    if row.enrolled_at is not None:
        raise Conflict("You have a second factor; its secret is not shown again.")
    secret = data_key(session, parts, account_id).open(SecondFactor.secret, row.secret)
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=handle_of(session, account_id), issuer_name=parts.settings.region.name
    )
    code = segno.make_qr(uri, error="m")
    return Enrolment(secret, uri, code.svg_inline(border=3, light="#fff", omitsize=True))


def finish_enrolment(
    session: Session, parts: Parts, account_id: int, *, code: str, address: str, session_id: int
) -> None:
    """Take the device's first code: from now on the account signs in with both factors.

    All other sessions end; the one given has passed the second factor.

    Raises:
        Missing: no enrolment was begun.
        Unauthenticated: the code is wrong.
        RateLimited: too many tries.
    """
    row = session.get(SecondFactor, account_id, with_for_update=True)
    if row is None:
        raise Missing("You have not begun to set up a second factor.")
    if row.enrolled_at is not None:
        raise Conflict("You have a second factor already.")
    _take_code(session, parts, row, code, address)
    row.enrolled_at = now()
    session.flush()
    revoke_sessions(session, account_id, but=session_id)
    mark_passed(session, account_id, session_id)
    record(session, "accounts.second_factor_set", account_id=str(account_id))


def check_code(session: Session, parts: Parts, account_id: int, *, code: str, address: str) -> None:
    """Check a code of the account's device; each code is taken once.

    Raises:
        Unauthenticated: it is wrong or was used before.
        RateLimited: too many tries for the account or from the address.
    """
    row = session.get(SecondFactor, account_id, with_for_update=True)
    if row is None or row.enrolled_at is None:
        raise Unauthenticated(WRONG)
    _take_code(session, parts, row, code, address)


def end_own_second_factor(
    session: Session, parts: Parts, account_id: int, *, password: str, code: str, address: str
) -> None:
    """End one's own second factor, to set up another device; all sessions end.

    Raises:
        Forbidden: the password is wrong.
        Unauthenticated: the code is wrong.
    """
    confirm_password(session, parts, account_id, password)
    check_code(session, parts, account_id, code=code, address=address)
    _end(session, account_id, by=str(account_id))


def end_second_factor(session: Session, *, handle: str, by: int) -> None:
    """End the second factor of somebody who has lost the device; all sessions end.

    Args:
        session: the transaction.
        handle: whose.
        by: the owner who does it; not oneself.

    Raises:
        Missing: there is no such account, or it has no second factor.
        Conflict: it is the owner's own.
    """
    account_id = account_named(session, handle)
    if account_id == by:
        raise Conflict("To end your own second factor takes one of its codes, or another owner.")
    if second_factor_state(session, account_id) == "none":
        raise Missing("This account has no second factor.")
    _end(session, account_id, by=str(by))


def forget_second_factor(session: Session, account_id: int) -> None:
    """Remove the second factor of an account that is reset by the operator's command."""
    if second_factor_state(session, account_id) != "none":
        _end(session, account_id, by="operator")


def _end(session: Session, account_id: int, *, by: str) -> None:
    session.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
    revoke_sessions(session, account_id)
    record(session, "accounts.second_factor_ended", account_id=str(account_id), by=by)


def _take_code(session: Session, parts: Parts, row: SecondFactor, code: str, address: str) -> None:
    """Take a code once; those that are wrong count as tries."""
    tries: tuple[tuple[Limit, str | int], ...] = (
        (SECOND_FACTOR_ADDRESS, address_group(address)),
        (SECOND_FACTOR_ACCOUNT, row.account_id),
        (SECOND_FACTOR_DAY, row.account_id),
    )
    for limit, subject in tries:
        count_try(parts, limit, subject)
    row.last_step = _step_of(session, parts, row, code)
    session.flush()
    for limit, subject in tries:
        forgive_try(parts, limit, subject)


def _step_of(session: Session, parts: Parts, row: SecondFactor, code: str) -> int:
    """Return the step of 30 s that a code belongs to.

    Raises:
        Unauthenticated: it is wrong, or one of its step or a later one was used before.
    """
    secret = data_key(session, parts, row.account_id).open(SecondFactor.secret, row.secret)
    try:
        # Compares in constant time.
        step = pyotp.TOTP(secret).verify_and_get_timecode(
            "".join(code.split()), for_time=now(), valid_window=DRIFT_STEPS
        )
    except pyotp.OTPVerificationError:
        raise Unauthenticated(WRONG) from None
    if step <= row.last_step:
        raise Unauthenticated(WRONG)
    return int(step)
