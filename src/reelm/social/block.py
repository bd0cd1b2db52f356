"""Block an account: neither sees or follows the other any more."""

from sqlalchemy import delete, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.social.models import Block, Follow
from reelm.social.pair import hold_pair


def block(session: Session, account_id: int, blocked_id: int) -> None:
    """Block an account and end follows and requests both ways; again changes nothing.

    Raises:
        Invalid: it is the same account.
        Missing: there is no such account.
    """
    if account_id == blocked_id:
        raise Invalid("You cannot block yourself.")
    hold_pair(session, account_id, blocked_id, alone=True)
    session.execute(
        insert(Block)
        .values(account_id=account_id, blocked_id=blocked_id, created_at=now())
        .on_conflict_do_nothing()
    )
    both_ways = [(account_id, blocked_id), (blocked_id, account_id)]
    session.execute(
        delete(Follow).where(tuple_(Follow.account_id, Follow.creator_id).in_(both_ways))
    )


def unblock(session: Session, account_id: int, blocked_id: int) -> None:
    """Lift a block; follows that it ended stay ended."""
    session.execute(
        delete(Block).where(Block.account_id == account_id, Block.blocked_id == blocked_id)
    )
