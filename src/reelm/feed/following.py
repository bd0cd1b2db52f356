"""All videos of followed creators, newest first, seen or not.

It reads whom an account follows and nothing else of it, so it is also part of the non-profiled
feed.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, select, true
from sqlalchemy.orm import Session

from reelm.feed.cursor import Cursors
from reelm.feed.parameters import ACCOUNT, BEFORE, COUNTRY, MOST
from reelm.social import visible_to
from reelm.social.models import Follow
from reelm.videos.models import Video

FOLLOWING = "following"
MAX_ID = (1 << 63) - 1


@dataclass(frozen=True)
class FollowingPage:
    """Ids of videos, newest first, and the cursor of those before them."""

    video_ids: tuple[int, ...]
    cursor: str


def following(
    session: Session,
    region_key: bytes,
    *,
    account_id: int,
    limit: int,
    cursor: str | None = None,
    country: str | None = None,
) -> FollowingPage:
    """Return the next page of the videos of those whom an account follows.

    Raises:
        Invalid: the cursor was not given out to this account.
    """
    cursors = Cursors.of(region_key, account_id)
    before = MAX_ID if cursor is None else cursors.read("following", cursor)
    bound = {"account_id": account_id, "country": country, "before": before, "most": limit}
    ids = tuple(session.scalars(_newest(), bound))
    return FollowingPage(ids, cursors.write("following", ids[-1] if ids else before))


@cache
def _newest() -> Select[Any]:
    """Select ids of the newest videos.

    One short index scan for each creator: the cost goes with the number of creators followed,
    whatever the number of videos in the region.
    """
    followed = (
        select(Follow.creator_id)
        .where(Follow.account_id == ACCOUNT, Follow.state == "accepted")
        .subquery()
    )
    of_one = (
        visible_to(ACCOUNT, Video.id, country=COUNTRY)
        .where(Video.account_id == followed.c.creator_id, Video.id < BEFORE)
        .order_by(Video.id.desc())
        .limit(MOST)
        .lateral()
    )
    joined = select(of_one.c.id).select_from(followed).join(of_one, true())
    return joined.order_by(of_one.c.id.desc()).limit(MOST)
