"""Accounts as others see them: beside a video or comment, and on their profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, null, select
from sqlalchemy.orm import Session

from reelm.accounts import account_named
from reelm.accounts.models import Account
from reelm.foundation.errors import Missing
from reelm.regions import Country, refusal, withheld, withheld_by
from reelm.social.follow import NO_ACCOUNT, FollowState, follow_state
from reelm.social.models import Block, Follow, VideoCount
from reelm.social.visibility import (
    ViewerAccount,
    blocked_between,
    follows,
    relation_of,
    visible_to,
)
from reelm.videos.models import Video

NOT_AVAILABLE = "An account that is not available"


@dataclass(frozen=True)
class Person:
    """An account beside what it made; `is_followed` is None for oneself and for strangers."""

    id: int
    handle: str
    display_name: str
    avatar_object: str | None
    is_followed: bool | None


@dataclass(frozen=True)
class Profile:
    """An account's page; the counts of a private account are shown, its videos are not."""

    person: Person
    bio: str
    links: tuple[str, ...]
    is_private: bool
    is_me: bool
    follow_state: FollowState
    follows_me: bool
    is_blocked: bool
    followers: int
    following: int
    likes: int
    videos: int
    created_at: datetime


def person_columns(viewer_account_id: ViewerAccount) -> tuple[Any, ...]:
    """Return the columns of a Person, for a query that joins Account."""
    is_followed: ColumnElement[Any] = null()
    if viewer_account_id is not None:
        others = follows(viewer_account_id, Account.id)
        is_followed = case((Account.id != viewer_account_id, others), else_=null())
    return (
        Account.id,
        Account.handle,
        Account.display_name,
        Account.avatar_object,
        is_followed.label("is_followed"),
    )


def account_at(
    session: Session, viewer_account_id: int | None, handle: str, country: str | None = None
) -> int:
    """Return the id of the account with this handle, unless it has blocked the viewer.

    Raises:
        Missing: there is no such account for this viewer.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    account_id = account_named(session, handle)
    blocked = select(Block.account_id).where(
        Block.account_id == account_id, Block.blocked_id == viewer_account_id
    )
    if viewer_account_id is not None and session.scalar(blocked) is not None:
        raise Missing(NO_ACCOUNT)
    by = withheld_by(session, country, [account_id])
    if by:
        raise refusal("This account", by)
    return account_id


def profile(
    session: Session, viewer_account_id: int | None, handle: str, country: str | None = None
) -> Profile:
    """Return an account's page as this viewer sees it.

    Raises:
        Missing: there is no such account for this viewer.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    account_id = account_at(session, viewer_account_id, handle, country)
    row = session.execute(
        select(
            *person_columns(viewer_account_id),
            Account.bio,
            Account.links,
            Account.is_private,
            Account.created_at,
        ).where(Account.id == account_id)
    ).one()
    is_me, me = account_id == viewer_account_id, viewer_account_id
    counts = _counts(session, viewer_account_id, account_id, country)
    return Profile(
        person=Person(*row[:5]),
        bio=row.bio,
        links=tuple(row.links),
        is_private=row.is_private,
        is_me=is_me,
        follow_state="none" if me is None else follow_state(session, me, account_id),
        follows_me=False if me is None else relation_of(session, account_id, me).follows,
        is_blocked=False if me is None or is_me else _is_blocked(session, me, account_id),
        created_at=row.created_at,
        **counts,
    )


def follow_requests(
    session: Session,
    account_id: int,
    *,
    limit: int,
    after: int | None = None,
    country: Country = None,
) -> list[Person]:
    """Return who asks to follow this account; `after` is the last id of the page before."""
    query = (
        select(*person_columns(account_id))
        .join(Follow, Follow.account_id == Account.id)
        .where(Follow.creator_id == account_id, Follow.state == "requested")
        .where(Account.state == "active", ~withheld(country, Account.id))
    )
    return [Person(*row) for row in _page(session, query, limit, after)]


def blocked_accounts(
    session: Session,
    account_id: int,
    *,
    limit: int,
    after: int | None = None,
    country: Country = None,
) -> list[Person]:
    """Return the accounts that this one has blocked; `after` is the last id of the page before.

    One that is withheld where the viewer is has its id alone, by which it can be unblocked.
    """
    query = (
        select(withheld(country, Account.id), *person_columns(account_id))
        .join(Block, Block.blocked_id == Account.id)
        .where(Block.account_id == account_id, Account.state == "active")
    )
    return [
        Person(person[0], "", NOT_AVAILABLE, None, None) if is_withheld else Person(*person)
        for is_withheld, *person in _page(session, query, limit, after)
    ]


def _page(session: Session, query: Any, limit: int, after: int | None) -> Sequence[Any]:
    if after is not None:
        query = query.where(Account.id < after)
    return session.execute(query.order_by(Account.id.desc()).limit(limit)).all()


def _counts(
    session: Session, viewer_account_id: int | None, account_id: int, country: str | None
) -> dict[str, int]:
    accepted = select(func.count()).select_from(Follow).where(Follow.state == "accepted")
    # Likes and videos are those that this viewer may see, so they tell nothing of the others.
    seen = (
        visible_to(viewer_account_id, Video.id.label("video_id"), country=country)
        .where(Video.account_id == account_id)
        .subquery()
    )
    totals = (
        select(func.count(), func.coalesce(func.sum(VideoCount.likes), literal(0)))
        .select_from(seen)
        .outerjoin(VideoCount, VideoCount.video_id == seen.c.video_id)
    )
    videos, likes = session.execute(totals).one()
    followers, following = session.execute(
        select(
            accepted.where(Follow.creator_id == account_id).scalar_subquery(),
            accepted.where(Follow.account_id == account_id).scalar_subquery(),
        )
    ).one()
    return {
        "followers": followers, "following": following, "likes": int(likes), "videos": videos
    }  # fmt: skip


def _is_blocked(session: Session, account_id: int, other_id: int) -> bool:
    # The other side's block was answered with Missing before.
    return bool(session.scalar(select(blocked_between(account_id, other_id))))
