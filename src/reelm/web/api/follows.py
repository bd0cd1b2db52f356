"""Follows, and the requests to follow a private account."""

from typing import Literal

import msgspec

from reelm import accounts, social
from reelm.foundation.database import Session
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.api.shapes import Creator, creator_of
from reelm.web.viewer import Viewer


class Following(msgspec.Struct, frozen=True):
    """Whether one follows the account now."""

    state: Literal["accepted", "requested", "none"]


class FollowRequests(msgspec.Struct, frozen=True):
    """Accounts that ask to follow one's private account."""

    requests: list[Creator]
    cursor: str | None


def follow(session: Session, viewer: Viewer, handle: str) -> Following:
    """Follow an account, or ask to where it is private."""
    creator_id = social.account_at(session, viewer.account_id, handle)
    return Following(social.follow(session, account_id_of(viewer), creator_id))


def unfollow(session: Session, viewer: Viewer, handle: str) -> Following:
    """Stop following an account, or withdraw the request."""
    creator_id = accounts.account_named(session, handle)
    return Following(social.unfollow(session, account_id_of(viewer), creator_id))


def follow_requests(
    session: Session, viewer: Viewer, cursor: Cursor | None = None, limit: PageSize = 30
) -> FollowRequests:
    """List who asks to follow one's account."""
    people = social.follow_requests(
        session, account_id_of(viewer), limit=limit + 1, after=number_of(cursor)
    )
    return FollowRequests([creator_of(p) for p in people[:limit]], cursor_after(people, limit))


def accept_request(session: Session, viewer: Viewer, account_id: int) -> None:
    """Let an account follow one's own."""
    social.accept_request(session, account_id_of(viewer), account_id)


def refuse_request(session: Session, viewer: Viewer, account_id: int) -> None:
    """Refuse a follow request."""
    social.refuse_request(session, account_id_of(viewer), account_id)
