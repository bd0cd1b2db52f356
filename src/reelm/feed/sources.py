"""Candidates of one viewer: of followed creators, one's own new video, and all the rest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from reelm.feed.catalogue import as_candidates, candidate_columns
from reelm.feed.models import Impression
from reelm.feed.score import FOLLOWING_BOOST
from reelm.feed.spacing import AUTHOR_GAP, Candidate
from reelm.foundation.clock import now
from reelm.social import visible_to
from reelm.social.models import Follow, VideoCount
from reelm.videos.models import Video

# Videos of one creator for one page: more would only be spaced out again.
OF_EACH_CREATOR = 3
# A person who has posted wants to meet the video in the feed; after a day that wish is past.
OWN_IS_NEW_H = 24
MAX_ID = (1 << 63) - 1


def unseen(
    session: Session, viewer_id: int, account_id: int | None, video_ids: Sequence[int]
) -> set[int]:
    """Return those of the videos that the viewer may see and was not shown yet."""
    query = visible_to(account_id, Video.id).where(Video.id.in_(video_ids), _not_shown(viewer_id))
    return set(session.scalars(query))


def from_followed(session: Session, viewer_id: int, account_id: int, limit: int) -> list[Candidate]:
    """Return the newest unseen videos of followed creators, raised in score."""
    newest = newest_of_followed(
        account_id, _not_shown(viewer_id), of_each=OF_EACH_CREATOR, limit=limit
    )
    query = _whole(account_id).where(Video.id.in_(newest))
    found = as_candidates(session.execute(query), "following")
    return [replace(c, score=c.score * FOLLOWING_BOOST) for c in found]


def newest_of_followed(
    account_id: int, condition: ColumnElement[bool], *, of_each: int, limit: int
) -> Select[Any]:
    """Select ids of videos of followed creators, newest first.

    One short index scan for each creator: the cost goes with the number of creators followed,
    whatever the number of videos in the region.
    """
    of_one = (
        visible_to(account_id, Video.id)
        .where(Video.account_id == Follow.creator_id, condition)
        .order_by(Video.id.desc())
        .limit(of_each)
        .lateral()
    )
    return (
        select(of_one.c.id)
        .select_from(Follow)
        .join(of_one, of_one.c.id.is_not(None))
        .where(Follow.account_id == account_id, Follow.state == "accepted")
        .order_by(of_one.c.id.desc())
        .limit(limit)
    )


def own_new(session: Session, viewer_id: int, account_id: int) -> list[Candidate]:
    """Return one's own just posted video that was not in the feed yet, at most one."""
    query = (
        _whole(account_id)
        .where(Video.account_id == account_id, Video.audience.in_(("public", "followers")))
        .where(Video.published_at > now() - timedelta(hours=OWN_IS_NEW_H))
        .where(_not_shown(viewer_id))
        .order_by(Video.id.desc())
        .limit(1)
    )
    return as_candidates(session.execute(query), "own")


def the_rest(
    session: Session, viewer_id: int, account_id: int | None, limit: int
) -> list[Candidate]:
    """Return unseen videos that the catalogue did not hold, newest first; one's own last.

    Own ones come only here: in a region of one person the feed would be empty otherwise.
    """
    query = _whole(account_id).where(_not_shown(viewer_id), Video.audience != "private")
    newest = Video.published_at.desc()
    others = query
    if account_id is not None:
        others = query.where(Video.account_id != account_id)
    found = as_candidates(session.execute(others.order_by(newest).limit(limit)), "rest")
    if found or account_id is None:
        return found
    own = query.where(Video.account_id == account_id, Video.audience != "unlisted")
    return as_candidates(session.execute(own.order_by(newest).limit(limit)), "own")


def last_shown(session: Session, viewer_id: int, account_id: int | None) -> list[Candidate]:
    """Return what the viewer was shown last, oldest first, as far as distances look back."""
    query = (
        _whole(account_id)
        .join(Impression, (Impression.video_id == Video.id) & (Impression.viewer_id == viewer_id))
        .order_by(Impression.shown_at.desc(), Impression.position.desc())
        .limit(AUTHOR_GAP)
    )
    return as_candidates(session.execute(query), "")[::-1]


def _whole(account_id: int | None) -> Select[Any]:
    return visible_to(account_id, *candidate_columns()).outerjoin(
        VideoCount, VideoCount.video_id == Video.id
    )


def _not_shown(viewer_id: int) -> ColumnElement[bool]:
    return ~exists().where(Impression.viewer_id == viewer_id, Impression.video_id == Video.id)
