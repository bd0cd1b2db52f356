"""Likes of videos."""

import msgspec

from reelm import feed, social
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of, acting_account
from reelm.web.api.signals import tell
from reelm.web.viewer import Viewer


class Liked(msgspec.Struct, frozen=True):
    """A video's likes, and whether one's own is among them."""

    likes: int
    is_liked: bool


def like(session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, video_id: int) -> Liked:
    """Like a video."""
    account_id = acting_account(session, viewer)
    was_liked = social.likes_of(session, account_id, video_id).is_liked
    likes = social.like(session, account_id, video_id, viewer.country)
    if not was_liked:
        tell(session, parts, viewer, outbox, feed.Kind.LIKE, video_id=video_id)
    return _liked(likes)


def unlike(session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, video_id: int) -> Liked:
    """Take a like back."""
    account_id = account_id_of(viewer)
    was_liked = social.likes_of(session, account_id, video_id).is_liked
    likes = social.unlike(session, account_id, video_id, viewer.country)
    if was_liked:
        tell(session, parts, viewer, outbox, feed.Kind.UNLIKE, video_id=video_id)
    return _liked(likes)


def _liked(likes: social.Likes) -> Liked:
    return Liked(likes.likes, likes.is_liked)
