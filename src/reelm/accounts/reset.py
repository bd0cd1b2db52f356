"""Give an account back to a person who lost password and codes, by the operator's command."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reelm.accounts.handles import account_named
from reelm.accounts.models import Credential
from reelm.accounts.recovery import replace_codes
from reelm.accounts.sessions import revoke_sessions
from reelm.accounts.two_factor import forget_second_factor
from reelm.audit import record


def reset_account(session: Session, handle: str) -> list[str]:
    """End all sessions, remove password and second factor, and return ten new recovery codes.

    The person sets a new password with one of them, so no password is ever known to staff.

    Raises:
        Missing: there is no such account.
    """
    account_id = account_named(session, handle)
    session.execute(delete(Credential).where(Credential.account_id == account_id))
    revoke_sessions(session, account_id)
    forget_second_factor(session, account_id)
    record(session, "accounts.reset", account_id=str(account_id))
    return replace_codes(session, account_id)
