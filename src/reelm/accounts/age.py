"""How old the person of an account is, as far as the sealed birth date says."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.keys import data_key
from reelm.accounts.models import AccountPrivate
from reelm.accounts.sign_up import age_on
from reelm.foundation.clock import now
from reelm.foundation.parts import Parts


def age_of(session: Session, parts: Parts, account_id: int) -> int | None:
    """Return the age in whole years, or None where no birth date is kept.

    Raises:
        Gone: the account is being erased.
    """
    sealed = session.scalar(
        select(AccountPrivate.birth_date).where(AccountPrivate.account_id == account_id)
    )
    if sealed is None:
        return None
    opened = data_key(session, parts, account_id).open(AccountPrivate.birth_date, sealed)
    return age_on(now().date(), date.fromisoformat(opened))
