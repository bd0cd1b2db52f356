"""Say what to watch next, from what the viewer watched before.

The ranker picks, the visibility rule is asked once more of what it picked, and each video given
out is written to the log before the response goes out, so that it does not come again before all
others have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from reelm import social
from reelm.feed.cursor import Cursors
from reelm.feed.live import LiveFeed
from reelm.feed.ranker import Ask, Pick
from reelm.feed.settings import FeedSettings
from reelm.feed.signals import Kind, Signal, Surface
from reelm.foundation.clock import now
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.social.models import Block, Follow

# Followed creators that the ranker is told of; the Following tab has them all.
MOST_FOLLOWED = 2_000


@dataclass(frozen=True)
class Page:
    """Videos to watch next with the source of each, and the cursor of the page after.

    `signals` are the impressions to write once the response is sure to go out.
    """

    cards: tuple[social.Card, ...]
    sources: dict[int, str]
    cursor: str
    seen_again: bool
    signals: tuple[Signal, ...]


def recommend(
    session: Session,
    parts: Parts,
    live: LiveFeed,
    *,
    viewer_id: int,
    account_id: int | None,
    settings: FeedSettings,
    limit: int = 10,
    cursor: str | None = None,
) -> Page:
    """Return the next page for a viewer; the same cursor gives the same page.

    Args:
        session: for reading what may be shown.
        parts: the open region, whose key signs the cursors.
        live: the feed that learns.
        viewer_id: the account's id, or the anonymous viewer's.
        account_id: the account, or None for an anonymous viewer.
        settings: of the viewer.
        limit: most videos on a page that is made now.
        cursor: of the page before; None begins.

    Raises:
        Invalid: the cursor was not given out to this viewer.
        Unavailable: nobody can recommend just now.
    """
    cursors = Cursors.of(parts.region_key, viewer_id)
    page_id = new_id() if cursor is None else cursors.read("for_you", cursor)
    followed, avoided = _around(session, account_id)
    picks = live.recommend(
        Ask(
            viewer_id=viewer_id,
            now_ms=int(now().timestamp() * 1000),
            limit=limit,
            followed=followed,
            avoided=avoided,
            newness=settings.newness,
            variety=settings.variety,
            following=settings.following,
            topics=settings.topics,
            languages=settings.languages,
            page_id=page_id,
        )
    )
    cards = social.cards(session, account_id, [pick.video_id for pick in picks])
    shown = {card.id for card in cards}
    live.release(viewer_id, [pick.video_id for pick in picks if pick.video_id not in shown])
    return Page(
        cards=tuple(cards),
        sources={pick.video_id: pick.source for pick in picks},
        cursor=cursors.write("for_you", cursors.batch_after(page_id)),
        seen_again=any(pick.again for pick in picks),
        signals=tuple(_impressions(viewer_id, page_id, picks, shown)),
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


def _around(session: Session, account_id: int | None) -> tuple[frozenset[int], frozenset[int]]:
    """Return whom an account follows, and who is blocked from either side."""
    if account_id is None:
        return frozenset(), frozenset()
    followed = (
        select(Follow.creator_id)
        .where(Follow.account_id == account_id, Follow.state == "accepted")
        .limit(MOST_FOLLOWED)
    )
    blocked = union(
        select(Block.blocked_id).where(Block.account_id == account_id),
        select(Block.account_id).where(Block.blocked_id == account_id),
    )
    row = session.execute(
        select(func.array(followed.scalar_subquery()), func.array(blocked.scalar_subquery()))
    ).one()
    return frozenset(row[0]), frozenset(row[1])
