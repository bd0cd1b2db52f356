"""Follows, and the requests to follow a private account."""

from typing import Literal

import msgspec

from reelm import accounts, feed, social
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of, acting_account
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.api.shapes import Creator, creator_of
from reelm.web.api.signals import tell
from reelm.web.viewer import Viewer


class Following(msgspec.Struct, frozen=True):
    """Whether one follows the account now."""

    state: Literal["accepted", "requested", "none"]


class FollowRequests(msgspec.Struct, frozen=True):
    """Accounts that ask to follow one's private account."""

    requests: list[Creator]
    cursor: str | None


def follow(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, handle: str
) -> Following:
    """Follow an account, or ask to where it is private."""
    account_id = acting_account(session, viewer)
    creator_id = social.account_at(session, account_id, handle, viewer.country)
    before = social.follow_state(session, account_id, creator_id)
    state = social.follow(session, account_id, creator_id)
    if before == "none":
        tell(session, parts, viewer, outbox, feed.Kind.FOLLOW, subject=str(creator_id))
    return Following(state)


def unfollow(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, handle: str
) -> Following:
    """Stop following an account, or withdraw the request."""
    account_id = account_id_of(viewer)
    creator_id = accounts.account_named(session, handle)
    before = social.follow_state(session, account_id, creator_id)
    state = social.unfollow(session, account_id, creator_id)
    if before != "none":
        tell(session, parts, viewer, outbox, feed.Kind.UNFOLLOW, subject=str(creator_id))
    return Following(state)


def follow_requests(
    session: Session, viewer: Viewer, cursor: Cursor | None = None, limit: PageSize = 30
) -> FollowRequests:
    """List who asks to follow one's account."""
    people = social.follow_requests(
        session,
        account_id_of(viewer),
        limit=limit + 1,
        after=number_of(cursor),
        country=viewer.country,
    )
    return FollowRequests([creator_of(p) for p in people[:limit]], cursor_after(people, limit))


def accept_request(session: Session, viewer: Viewer, account_id: int) -> None:
    """Let an account follow one's own."""
    social.accept_request(session, account_id_of(viewer), account_id, viewer.country)


def refuse_request(session: Session, viewer: Viewer, account_id: int) -> None:
    """Refuse a follow request."""
    social.refuse_request(session, account_id_of(viewer), account_id)
