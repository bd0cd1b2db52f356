"""An account as its own person sees it, private facts included."""

from datetime import date, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.keys import data_key
from reelm.accounts.models import AccountPrivate
from reelm.accounts.powers import role_at
from reelm.accounts.profile import active_account, avatar_url
from reelm.accounts.recovery import codes_left
from reelm.foundation.clock import now
from reelm.foundation.parts import Parts


class MyAccount(msgspec.Struct, frozen=True):
    """An account as its own person sees it."""

    account_id: int
    handle: str
    display_name: str
    bio: str
    links: list[str]
    language: str | None
    is_private: bool
    role: str | None
    avatar_url: str | None
    birth_date: date | None
    created_at: datetime
    recovery_codes_left: int


def my_account(session: Session, parts: Parts, account_id: int) -> MyAccount:
    """Return an account with its private facts, for its own person.

    Raises:
        Gone: it is being erased.
    """
    account = active_account(session, account_id)
    sealed = session.scalar(
        select(AccountPrivate.birth_date).where(AccountPrivate.account_id == account_id)
    )
    birth_date = None
    if sealed is not None:
        key = data_key(session, parts, account_id)
        birth_date = date.fromisoformat(key.open(AccountPrivate.birth_date, sealed))
    return MyAccount(
        account_id=account.id,
        handle=account.handle,
        display_name=account.display_name,
        bio=account.bio,
        links=list(account.links),
        language=account.language,
        is_private=account.is_private,
        role=role_at(account.role, account.role_until, now()),
        avatar_url=avatar_url(account.id, account.avatar_object),
        birth_date=birth_date,
        created_at=account.created_at,
        recovery_codes_left=codes_left(session, account_id),
    )
