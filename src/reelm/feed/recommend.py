"""Say what to watch next, from what the viewer watched before.

The ranker picks, the visibility rule is asked once more of what it picked, and each video given
out is written to the log before the response goes out, so that it does not come again before all
others have.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Select, bindparam, func, select, union
from sqlalchemy.orm import Session

from reelm import social
from reelm.feed.cursor import Cursors
from reelm.feed.live import LiveFeed
from reelm.feed.parameters import ACCOUNT, COUNTRY
from reelm.feed.ranker import Ask, Pick
from reelm.feed.settings import FeedSettings
from reelm.feed.signals import Kind, Signal, Surface
from reelm.foundation.clock import now
from reelm.foundation.database.prepared import Prepared, as_array
from reelm.foundation.errors import ReelmError
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.social.models import Block, Follow
from reelm.videos.models import Video

# Followed creators that the ranker is told of; the Following tab has them all.
MOST_FOLLOWED = 2_000


class Wanted(NamedTuple):
    """A page that somebody asks for.

    Args:
        viewer_id: the account's id, or the anonymous viewer's.
        account_id: the account, or None for an anonymous viewer.
        settings: of the viewer.
        limit: most videos on a page that is made now.
        cursor: of the page before; None begins.
        country: where the viewer is; None: nobody knows, so inside every order's territory.
    """

    viewer_id: int
    account_id: int | None
    settings: FeedSettings
    limit: int = 10
    cursor: str | None = None
    country: str | None = None


class Page(NamedTuple):
    """Videos to watch next with the source of each, and the cursor of the page after.

    `signals` are the impressions to write once the response is sure to go out.
    """

    glances: list[social.Glance]
    sources: dict[int, str]
    cursor: str
    seen_again: bool
    signals: list[Signal]


class _Picked(NamedTuple):
    wanted: Wanted
    cursor: str
    page_id: int
    picks: list[Pick]


def recommend(session: Session, parts: Parts, live: LiveFeed, wanted: Wanted) -> Page:
    """Return the next page for a viewer; the same cursor gives the same page.

    Raises:
        Invalid: the cursor was not given out to this viewer.
        Unavailable: nobody can recommend just now.
    """
    page = recommend_all(session, parts, live, [wanted])[0]
    if isinstance(page, ReelmError):
        raise page
    return page


def recommend_all(
    session: Session, parts: Parts, live: LiveFeed, wanted: Sequence[Wanted]
) -> list[Page | ReelmError]:
    """Return the next page of each viewer, or why there is none; the database is asked once.

    Args:
        session: for reading what may be shown; it has changed nothing itself.
        parts: the open region, whose key signs the cursors.
        live: the feed that learns.
        wanted: who asks for what.
    """
    around = _around(session, [one.account_id for one in wanted if one.account_id is not None])
    picked = [_picked(parts, live, one, around) for one in wanted]
    found = [one for one in picked if isinstance(one, _Picked)]
    asked = [
        social.Asked(
            one.wanted.account_id, [pick.video_id for pick in one.picks], one.wanted.country
        )
        for one in found
    ]
    shown = iter(social.glances(session, asked))
    return [_page(one, next(shown)) if isinstance(one, _Picked) else one for one in picked]


def shows_any(session: Session, account_id: int | None, country: str | None = None) -> bool:
    """Return whether there is a video that lists may show to this viewer."""
    return session.scalar(_any(), {"account_id": account_id, "country": country}) is not None


def _picked(
    parts: Parts, live: LiveFeed, wanted: Wanted, around: Mapping[int | None, "_Around"]
) -> _Picked | ReelmError:
    cursors = Cursors.of(parts.region_key, wanted.viewer_id)
    settings, near = wanted.settings, around.get(wanted.account_id, NOBODY)
    try:
        page_id = new_id() if wanted.cursor is None else cursors.read("for_you", wanted.cursor)
        picks = live.recommend(
            Ask(
                viewer_id=wanted.viewer_id,
                now_ms=int(now().timestamp() * 1000),
                limit=wanted.limit,
                followed=near.followed,
                avoided=near.blocked,
                newness=settings.newness,
                variety=settings.variety,
                following=settings.following,
                topics=settings.topics,
                languages=settings.languages,
                page_id=page_id,
            )
        )
    except ReelmError as error:
        return error
    return _Picked(wanted, cursors.write("for_you", cursors.batch_after(page_id)), page_id, picks)


def _page(picked: _Picked, glances: list[social.Glance]) -> Page:
    viewer_id, picks = picked.wanted.viewer_id, picked.picks
    shown = {glance.kept.id for glance in glances}
    # A pick that may not be shown, as an order withholds it here, is kept aside for a while like
    # the others: given out again at once, it would take a place on each page.
    return Page(
        glances=glances,
        sources={pick.video_id: pick.source for pick in picks},
        cursor=picked.cursor,
        seen_again=any(pick.again for pick in picks),
        signals=_impressions(viewer_id, picked.page_id, picks, shown),
    )


def _impressions(
    viewer_id: int, page_id: int, picks: Sequence[Pick], shown: set[int]
) -> list[Signal]:
    return [
        Signal(
            viewer_id,
            pick.video_id,
            Kind.IMPRESSION,
            surface=Surface.FOR_YOU,
            page_id=page_id,
            position=position,
            source=pick.source,
            propensity=pick.propensity,
        )
        for position, pick in enumerate(picks)
        if pick.video_id in shown and not pick.known
    ]


class _Around(NamedTuple):
    """Whom an account follows, and who is blocked from either side."""

    followed: frozenset[int]
    blocked: frozenset[int]


NOBODY = _Around(frozenset(), frozenset())


def _around(session: Session, account_ids: Sequence[int]) -> dict[int | None, _Around]:
    if not account_ids:
        return {}
    rows = _near().tuples(session, account_ids=as_array(set(account_ids)))
    return {row[0]: _Around(frozenset(row[1]), frozenset(row[2])) for row in rows}


@cache
def _any() -> Select[Any]:
    return social.visible_to(ACCOUNT, Video.id, country=COUNTRY).limit(1)


@cache
def _near() -> Prepared:
    wanted = bindparam("account_ids", type_=ARRAY(BigInteger))
    me = func.unnest(wanted).table_valued("account_id", name="me").render_derived().c.account_id
    followed = (
        select(Follow.creator_id)
        .where(Follow.account_id == me, Follow.state == "accepted")
        .limit(MOST_FOLLOWED)
    )
    blocked = union(
        select(Block.blocked_id).where(Block.account_id == me),
        select(Block.account_id).where(Block.blocked_id == me),
    )
    return Prepared(
        select(me, func.array(followed.scalar_subquery()), func.array(blocked.scalar_subquery()))
    )
