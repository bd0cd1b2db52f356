"""Candidates of one viewer: of followed creators, one's own new video, and all the rest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    any_,
    exists,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session

from reelm.feed.catalogue import as_candidates, candidate_columns
from reelm.feed.models import Impression
from reelm.feed.parameters import (
    ACCOUNT,
    BEFORE,
    MOST,
    SINCE,
    VIDEO_IDS,
    VIEWER,
    account,
    as_array,
)
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
# Followed creators looked at for one page of For You; the Following tab has them all. At 1,000
# followed, looking at all took ten times as long as everything else on the page.
FOLLOWED_AT_ONCE = 100
MAX_ID = (1 << 63) - 1


def unseen(
    session: Session, viewer_id: int, account_id: int | None, video_ids: Sequence[int]
) -> set[int]:
    """Return those of the videos that the viewer may see and was not shown yet."""
    bound = _bound(viewer_id, account_id) | {"video_ids": as_array(video_ids)}
    return set(session.scalars(_unseen(is_anonymous=account_id is None), bound))


def from_followed(session: Session, viewer_id: int, account_id: int, most: int) -> list[Candidate]:
    """Return newest unseen videos of some followed creators, raised in score."""
    bound = _bound(viewer_id, account_id) | {"most": most}
    found = as_candidates(session.execute(_from_followed(), bound), "following")
    return [replace(c, score=c.score * FOLLOWING_BOOST) for c in found]


def following_tab(session: Session, account_id: int, *, before: int, limit: int) -> list[int]:
    """Return ids of all videos of followed creators, newest first."""
    bound = {"account_id": account_id, "before": before, "most": limit}
    return list(session.scalars(_following_tab(), bound))


def own_new(session: Session, viewer_id: int, account_id: int) -> list[Candidate]:
    """Return one's own just posted video that was not in the feed yet, at most one."""
    since = now() - timedelta(hours=OWN_IS_NEW_H)
    bound = _bound(viewer_id, account_id) | {"since": since}
    return as_candidates(session.execute(_own_new(), bound), "own")


def the_rest(
    session: Session, viewer_id: int, account_id: int | None, most: int
) -> list[Candidate]:
    """Return unseen videos that the catalogue did not hold, newest first; one's own last.

    Own ones come only here: in a region of one person the feed would be empty otherwise.
    """
    bound = _bound(viewer_id, account_id) | {"most": most}
    rest = _rest(is_anonymous=account_id is None, own=False)
    found = as_candidates(session.execute(rest, bound), "rest")
    if found or account_id is None:
        return found
    return as_candidates(session.execute(_rest(is_anonymous=False, own=True), bound), "own")


def last_shown(session: Session, viewer_id: int, account_id: int | None) -> list[Candidate]:
    """Return what the viewer was shown last, oldest first, as far as distances look back."""
    statement = _last_shown(is_anonymous=account_id is None)
    return as_candidates(session.execute(statement, _bound(viewer_id, account_id)), "")[::-1]


def _bound(viewer_id: int, account_id: int | None) -> dict[str, Any]:
    return {"viewer_id": viewer_id, "account_id": account_id, "moment": now()}


@cache
def _unseen(*, is_anonymous: bool) -> Select[Any]:
    return visible_to(account(is_anonymous=is_anonymous), Video.id).where(
        Video.id == any_(VIDEO_IDS), _not_shown()
    )


@cache
def _from_followed() -> Select[Any]:
    # Chance decides which creators are looked at, where many are followed.
    some = (
        select(Follow.creator_id)
        .where(Follow.account_id == ACCOUNT, Follow.state == "accepted")
        .order_by(func.random())
        .limit(FOLLOWED_AT_ONCE)
        .subquery()
    )
    newest = _newest_of(some.c.creator_id, some, _not_shown(), of_each=literal(OF_EACH_CREATOR))
    return _whole(ACCOUNT).where(Video.id.in_(newest))


@cache
def _following_tab() -> Select[Any]:
    followed = (
        select(Follow.creator_id)
        .where(Follow.account_id == ACCOUNT, Follow.state == "accepted")
        .subquery()
    )
    return _newest_of(followed.c.creator_id, followed, Video.id < BEFORE, of_each=MOST)


def _newest_of(
    creator_id: Any, creators: Any, condition: ColumnElement[bool], *, of_each: Any
) -> Select[Any]:
    """Select ids of the newest videos of creators.

    One short index scan for each creator: the cost goes with the number of creators followed,
    whatever the number of videos in the region.
    """
    of_one = (
        visible_to(ACCOUNT, Video.id)
        .where(Video.account_id == creator_id, condition)
        .order_by(Video.id.desc())
        .limit(of_each)
        .lateral()
    )
    joined = select(of_one.c.id).select_from(creators).join(of_one, true())
    return joined.order_by(of_one.c.id.desc()).limit(MOST)


@cache
def _own_new() -> Select[Any]:
    return (
        _whole(ACCOUNT)
        .where(Video.account_id == ACCOUNT, Video.audience.in_(("public", "followers")))
        .where(Video.published_at > SINCE, _not_shown())
        .order_by(Video.id.desc())
        .limit(1)
    )


@cache
def _rest(*, is_anonymous: bool, own: bool) -> Select[Any]:
    query = _whole(account(is_anonymous=is_anonymous)).where(_not_shown())
    query = query.where(Video.audience.in_(("public", "followers")))
    if not is_anonymous:
        mine = Video.account_id == ACCOUNT
        query = query.where(mine if own else ~mine)
    return query.order_by(Video.published_at.desc()).limit(MOST)


@cache
def _last_shown(*, is_anonymous: bool) -> Select[Any]:
    shown = and_(Impression.video_id == Video.id, Impression.viewer_id == VIEWER)
    return (
        _whole(account(is_anonymous=is_anonymous))
        .join(Impression, shown)
        .order_by(Impression.shown_at.desc(), Impression.position.desc())
        .limit(AUTHOR_GAP)
    )


def _whole(viewer: BindParameter[int] | None) -> Select[Any]:
    return visible_to(viewer, *candidate_columns()).outerjoin(
        VideoCount, VideoCount.video_id == Video.id
    )


def _not_shown() -> ColumnElement[bool]:
    return ~exists().where(Impression.viewer_id == VIEWER, Impression.video_id == Video.id)
