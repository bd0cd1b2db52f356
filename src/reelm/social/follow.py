"""Follow a creator; a private account is asked first."""

from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.regions import refusal, withheld_by
from reelm.social.models import Block, Follow
from reelm.social.pair import hold_pair

FollowState = Literal["accepted", "requested", "none"]

NO_ACCOUNT = "There is no such account."
NO_REQUEST = "There is no such follow request; it may have been withdrawn."


def follow(session: Session, account_id: int, creator_id: int) -> FollowState:
    """Follow a creator, or ask to where the account is private; following again changes nothing.

    Raises:
        Invalid: it is the same account.
        Conflict: the creator is blocked by this account.
        Missing: there is no such account, or it has blocked this one.
    """
    if account_id == creator_id:
        raise Invalid("You cannot follow yourself.")
    creator = hold_pair(session, account_id, creator_id)
    _refuse_blocked(session, account_id, creator_id)
    session.execute(
        insert(Follow)
        .values(
            account_id=account_id,
            creator_id=creator_id,
            state="requested" if creator.is_private else "accepted",
            created_at=now(),
        )
        .on_conflict_do_nothing()
    )
    return follow_state(session, account_id, creator_id)


def unfollow(session: Session, account_id: int, creator_id: int) -> FollowState:
    """End a follow or withdraw the request."""
    session.execute(
        delete(Follow).where(Follow.account_id == account_id, Follow.creator_id == creator_id)
    )
    return "none"


def follow_state(session: Session, account_id: int, creator_id: int) -> FollowState:
    """Return whether one account follows another."""
    state: FollowState | None = session.scalar(
        select(Follow.state).where(Follow.account_id == account_id, Follow.creator_id == creator_id)
    )
    return state or "none"


def accept_request(
    session: Session, creator_id: int, account_id: int, country: str | None = None
) -> None:
    """Let an account follow; accepting again changes nothing.

    Raises:
        Missing: it has not asked.
        LegallyWithheld: an order withholds it where the one who accepts is.
        Gone: a decision withholds it.
    """
    by = withheld_by(session, country, [account_id])
    if by:
        raise refusal("This account", by)
    accepted = session.scalar(
        update(Follow)
        .where(Follow.account_id == account_id, Follow.creator_id == creator_id)
        .values(state="accepted")
        .returning(Follow.account_id)
    )
    if accepted is None:
        raise Missing(NO_REQUEST)


def refuse_request(session: Session, creator_id: int, account_id: int) -> None:
    """Refuse a follow request; the account may ask again.

    Raises:
        Missing: it has not asked.
    """
    refused = session.scalar(
        delete(Follow)
        .where(
            Follow.account_id == account_id,
            Follow.creator_id == creator_id,
            Follow.state == "requested",
        )
        .returning(Follow.account_id)
    )
    if refused is None:
        raise Missing(NO_REQUEST)


def accept_all_requests(session: Session, creator_id: int) -> None:
    """Accept all who wait, because the account has turned public."""
    session.execute(
        update(Follow)
        .where(Follow.creator_id == creator_id, Follow.state == "requested")
        .values(state="accepted")
    )


def _refuse_blocked(session: Session, account_id: int, creator_id: int) -> None:
    pair = (account_id, creator_id)
    blockers = session.scalars(
        select(Block.account_id).where(Block.account_id.in_(pair), Block.blocked_id.in_(pair))
    ).all()
    if creator_id in blockers:
        raise Missing(NO_ACCOUNT)
    if account_id in blockers:
        raise Conflict("You have blocked this account; unblock it to follow it.")
