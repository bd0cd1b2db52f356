"""Likes of videos."""

import msgspec

from reelm import social
from reelm.foundation.database import Session
from reelm.web.api.me import account_id_of
from reelm.web.viewer import Viewer


class Liked(msgspec.Struct, frozen=True):
    """A video's likes, and whether one's own is among them."""

    likes: int
    is_liked: bool


def like(session: Session, viewer: Viewer, video_id: int) -> Liked:
    """Like a video."""
    return _liked(social.like(session, account_id_of(viewer), video_id))


def unlike(session: Session, viewer: Viewer, video_id: int) -> Liked:
    """Take a like back."""
    return _liked(social.unlike(session, account_id_of(viewer), video_id))


def _liked(likes: social.Likes) -> Liked:
    return Liked(likes.likes, likes.is_liked)
