"""Hold two accounts still while what is between them changes."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.foundation.errors import Missing


@dataclass(frozen=True)
class Held:
    """What a follow asks of the other account."""

    is_private: bool


def hold_pair(session: Session, account_id: int, other_id: int, *, alone: bool = False) -> Held:
    """Lock two active accounts until the transaction ends and return the other.

    Follows share the lock, so a popular creator is no bottleneck; a block and a change of
    privacy hold it `alone`, so no follow slips in beside them. Lowest id first: no deadlock.

    Raises:
        Missing: there is no such account.
    """
    rows = session.execute(
        select(Account.id, Account.is_private, Account.state)
        .where(Account.id.in_((account_id, other_id)))
        .order_by(Account.id)
        .with_for_update(read=not alone, key_share=alone)
    )
    found = {row.id: row for row in rows}
    if any(id_ not in found or found[id_].state != "active" for id_ in (account_id, other_id)):
        raise Missing("There is no such account.")
    return Held(is_private=found[other_id].is_private)
