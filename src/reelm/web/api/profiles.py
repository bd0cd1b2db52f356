"""Accounts as others see them."""

from datetime import datetime

import msgspec

from reelm import accounts, social
from reelm.foundation.database import Session
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.api.shapes import Video, video_of
from reelm.web.viewer import Viewer


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """An account's page; videos and likes are those that the viewer may see."""

    id: str
    handle: str
    display_name: str
    bio: str
    links: list[str]
    avatar_url: str | None
    is_private: bool
    is_mine: bool
    is_followed: bool | None
    is_requested: bool
    is_blocked: bool
    follows_me: bool
    followers: int
    following: int
    likes: int
    videos_count: int
    created_at: datetime
    page_url: str


class ProfileVideos(msgspec.Struct, frozen=True):
    """An account's videos, newest first; the cursor leads to older ones."""

    videos: list[Video]
    cursor: str | None


def profile(session: Session, viewer: Viewer, handle: str) -> Profile:
    """Read an account's page."""
    found = social.profile(session, viewer.account_id, handle, viewer.country)
    person = found.person
    return Profile(
        id=str(person.id),
        handle=person.handle,
        display_name=person.display_name,
        bio=found.bio,
        links=list(found.links),
        avatar_url=accounts.avatar_url(person.id, person.avatar_object),
        is_private=found.is_private,
        is_mine=found.is_me,
        is_followed=person.is_followed,
        is_requested=found.follow_state == "requested",
        is_blocked=found.is_blocked,
        follows_me=found.follows_me,
        followers=found.followers,
        following=found.following,
        likes=found.likes,
        videos_count=found.videos,
        created_at=found.created_at,
        page_url=f"/@{person.handle}",
    )


def profile_videos(
    session: Session,
    viewer: Viewer,
    handle: str,
    cursor: Cursor | None = None,
    limit: PageSize = 30,
) -> ProfileVideos:
    """List an account's videos, newest first."""
    creator_id = social.account_at(session, viewer.account_id, handle, viewer.country)
    cards = social.videos_of(
        session,
        viewer.account_id,
        creator_id,
        limit=limit + 1,
        before=number_of(cursor),
        country=viewer.country,
    )
    return ProfileVideos([video_of(card) for card in cards[:limit]], cursor_after(cards, limit))
