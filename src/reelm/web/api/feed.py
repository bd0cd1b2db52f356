"""What to watch next."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm import feed as feeds
from reelm import social
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.paging import PageSize
from reelm.web.api.shapes import Video, video_of
from reelm.web.viewer import Viewer


class FeedPage(msgspec.Struct, frozen=True):
    """Videos to watch next.

    The cursor belongs to this viewer and names the next page; asked again with the same cursor
    the answer is the same. `seen_again` says that everything was seen and the oldest come back.
    """

    videos: list[Video]
    cursor: str
    seen_again: bool


def feed(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    limit: PageSize = 10,
    cursor: Annotated[str, Meta(max_length=64, description="Of the page before.")] | None = None,
    tab: Literal["for_you", "following"] = "for_you",
) -> FeedPage:
    """Say what to watch next; each video given out counts as shown."""
    page = feeds.recommend(
        session,
        parts,
        viewer_id=viewer.id,
        account_id=viewer.account_id,
        limit=limit,
        cursor=cursor,
        tab=tab,
    )
    cards = social.cards(session, viewer.account_id, [shown.video_id for shown in page.videos])
    return FeedPage([video_of(card) for card in cards], page.cursor, page.seen_again)
