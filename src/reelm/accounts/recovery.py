"""Recovery codes: ten one-time codes that set a new password. There is no e-mail to fall back on.

A code has 80 random bits, so a fast hash of it cannot be reversed (docs/decisions/0003).
"""

import base64
import hashlib
import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_of, handle_key
from reelm.accounts.models import RecoveryCode
from reelm.accounts.passwords import check_password, hash_password
from reelm.accounts.rate import RECOVERY_ADDRESS, RECOVERY_HANDLE, address_group, count_try
from reelm.accounts.sessions import revoke_sessions
from reelm.accounts.sign_in import confirm_password, set_password
from reelm.foundation.clock import now
from reelm.foundation.errors import Unauthenticated
from reelm.foundation.parts import Parts

CODES = 10
_CODE_BYTES = 10
WRONG = "This handle and recovery code do not match, or the code was used before."


def replace_codes(session: Session, account_id: int) -> list[str]:
    """Give the account ten new codes; the old ones stop working."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = [_new_code() for _ in range(CODES)]
    at = now()
    for code in codes:
        session.add(
            RecoveryCode(account_id=account_id, code_hash=_hash(account_id, code), made_at=at)
        )
    session.flush()
    return codes


def renew_codes(session: Session, parts: Parts, account_id: int, *, password: str) -> list[str]:
    """Give the account ten new codes after its password was checked.

    Raises:
        Forbidden: the password is wrong.
    """
    confirm_password(session, parts, account_id, password)
    return replace_codes(session, account_id)


def codes_left(session: Session, account_id: int) -> int:
    """Return how many codes have not been used."""
    query = select(func.count()).where(RecoveryCode.account_id == account_id)
    return session.execute(query).scalar_one()


def recover(
    session: Session,
    parts: Parts,
    *,
    handle: str,
    recovery_code: str,
    new_password: str,
    address: str,
) -> int:
    """Set a new password by a recovery code, end all sessions, and return the account's id.

    Raises:
        Unauthenticated: handle and code do not match; it does not say which is wrong.
        Invalid: the new password is too weak; the code stays good.
        RateLimited: too many tries from the address or for the handle.
    """
    count_try(parts, RECOVERY_ADDRESS, address_group(address))
    count_try(parts, RECOVERY_HANDLE, handle_key(handle))
    check_password(new_password, handle)
    # Made before the look-up, so that the time does not tell whether the account exists.
    password_hash = hash_password(new_password)
    account_id = account_of(session, handle)
    # One statement finds and uses the code: of two requests with one code, one succeeds.
    used = session.execute(
        delete(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == _hash(account_id or 0, recovery_code),
        )
        .returning(RecoveryCode.account_id)
    ).one_or_none()
    if used is None or account_id is None:
        raise Unauthenticated(WRONG)
    set_password(session, account_id, password_hash)
    revoke_sessions(session, account_id)
    return account_id


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def _hash(account_id: int, code: str) -> bytes:
    # As typed from paper: any case, with or without the dashes, 0 for o and 1 for l.
    typed = "".join(sign for sign in code.lower() if sign.isalnum())
    plain = typed.replace("0", "o").replace("1", "l")
    return hashlib.sha256(f"{account_id}:{plain}".encode("utf-8", "surrogatepass")).digest()
