"""What to watch next."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeGuard

import msgspec
from msgspec import Meta

from reelm import feed as feeds
from reelm import social
from reelm.feed.live import LiveFeed, Outbox
from reelm.foundation.database import Session, fence
from reelm.foundation.errors import Frozen, ReelmError, Unauthenticated, Unavailable
from reelm.foundation.parts import Parts
from reelm.web.api.feed_json import feed_video, page_json
from reelm.web.api.feed_settings import LanguageChoice
from reelm.web.api.paging import PageSize
from reelm.web.api.shapes import FeedVideo
from reelm.web.viewer import Answered, Call, Viewer, people_of

FeedTab = Literal["for_you", "following", "popular"]
FeedCursor = Annotated[str, Meta(max_length=1000, description="Of the page before.")]
Topic = Annotated[str, Meta(max_length=120, description="A hashtag without #; empty for all.")]

PAGE = 10

NOT_PROFILED = "This feed is not made from what you watch."
SEEN_AGAIN = "You have seen everything; these are the ones that you saw longest ago."
NOT_READY = (
    "The feed has yet to learn from the log of this region; until then this is what is popular,"
    " and not made from what you watch."
)
HANDED_OVER = (
    "The service is being handed over to another operator. Until that is done this is what is"
    " popular: what you watch is not written down, and nothing can be changed."
)
# Before the cursor of a page of what is popular that stands in for the first tab.
STANDS_IN = "p."
NOTHING_LEFT = (
    "There are videos here, but none to show you: "
    "you have hidden them, they are your own, or they are not open to you."
)
READ_THROUGH = "You have come to the end; it begins anew."


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Videos to watch next.

    The cursor names the next page. `seen_again` says that everything was seen. `is_profiled` is
    false where nothing that is kept of the viewer was read for this page. `notice` is a sentence
    to show above the feed.
    """

    videos: list[FeedVideo]
    cursor: str
    seen_again: bool
    is_profiled: bool
    notice: str | None


def feed(
    session: Session,
    parts: Parts,
    live: LiveFeed,
    outbox: Outbox,
    viewer: Viewer,
    limit: PageSize = PAGE,
    cursor: FeedCursor | None = None,
    tab: FeedTab = "for_you",
    topic: Topic = "",
    language: LanguageChoice = "",
) -> FeedPage:
    """Say what to watch next; topic and language are for the popular tab and its first page."""
    account_id, cursor = viewer.account_id, cursor or None
    if tab == "popular":
        # Not even the settings are read: who asks for this page has left them out.
        return popular_page(session, parts, viewer, limit, cursor, topic, language)
    if tab == "following":
        return following_page(session, parts, viewer, limit, cursor)
    settings = feeds.feed_settings(session, parts, viewer_id=viewer.id, account_id=account_id)
    instead = cursor.removeprefix(STANDS_IN) if _stands_in(cursor) else None
    if not settings.is_profiled:
        return popular_page(session, parts, viewer, limit, instead or cursor, topic, language)
    try:
        page = feeds.recommend(
            session,
            parts,
            live,
            feeds.Wanted(
                viewer.id, account_id, settings, limit, None if instead else cursor, viewer.country
            ),
        )
    except Unavailable:
        # It is starting, or was sold without its model: what is popular needs no model. In a freeze
        # nothing is written of what anybody is shown, and so nothing is chosen for them either.
        popular = popular_page(session, parts, viewer, limit, instead, "", "")
        why = HANDED_OVER if fence.is_closed(session) else NOT_READY
        return msgspec.structs.replace(popular, cursor=STANDS_IN + popular.cursor, notice=why)
    outbox.need(*page.signals)
    notice = SEEN_AGAIN if page.seen_again else None
    if not page.glances and feeds.shows_any(session, account_id, viewer.country):
        notice = NOTHING_LEFT
    return FeedPage(
        videos=[feed_video(glance.card, page.sources[glance.kept.id]) for glance in page.glances],
        cursor=page.cursor,
        seen_again=page.seen_again,
        is_profiled=True,
        notice=notice,
    )


def _stands_in(cursor: str | None) -> TypeGuard[str]:
    return cursor is not None and cursor.startswith(STANDS_IN)


def _ranked(cursor: str | None) -> str | None:
    """Return the cursor of a page that was ranked; what stood in for such pages ends there."""
    return None if not cursor or _stands_in(cursor) else cursor


def is_for_you(arguments: Mapping[str, object]) -> bool:
    """Return whether the first tab is asked for."""
    return arguments.get("tab", "for_you") == "for_you"


def feed_together(
    parts: Parts, live: LiveFeed, calls: Sequence[Call]
) -> list[Answered | ReelmError | None]:
    """Answer as `feed` does, for several viewers; None where that one has to answer alone.

    The impressions are in the log when this returns.
    """
    answers = list[Answered | ReelmError | None]([None] * len(calls))
    with parts.transaction() as session:
        people = people_of(session, parts, calls)
        wanted = {
            at: feeds.Wanted(
                one.viewer_id,
                one.account_id,
                one.settings,
                call.arguments.get("limit", PAGE),
                _ranked(call.arguments.get("cursor")),
                one.country,
            )
            for at, (call, one) in enumerate(zip(calls, people, strict=True))
            if one.settings.is_profiled
        }
        pages = feeds.recommend_all(session, parts, live, list(wanted.values()))
    errors = live.observe_all([
        page.signals if isinstance(page, feeds.Page) else [] for page in pages
    ])  # fmt: skip
    for at, page, error in zip(wanted, pages, errors, strict=True):
        if isinstance(page, feeds.Page):
            if not page.glances:
                continue  # Why there is none is looked up where it is answered alone.
            if isinstance(error, Frozen):
                continue  # The freeze has just begun: alone it is answered with what is popular.
            answers[at] = error or Answered(_json_of(page), people[at].new_id)
        elif not isinstance(page, Unavailable):
            answers[at] = page
    return answers


def _json_of(page: feeds.Page) -> bytes:
    return page_json(
        page.glances,
        page.sources,
        cursor=page.cursor,
        seen_again=page.seen_again,
        is_profiled=True,
        notice=SEEN_AGAIN if page.seen_again else None,
    )


def popular_page(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    limit: int,
    cursor: str | None,
    topic: str,
    language: str,
) -> FeedPage:
    """Return a page of what is popular; of the viewer only what may be shown is asked."""
    page = feeds.popular(
        session, parts.region_key, limit=limit, cursor=cursor, topic=topic, language=language
    )
    return FeedPage(
        videos=_videos(session, viewer, page.videos),
        cursor=page.cursor,
        seen_again=page.seen_again,
        is_profiled=False,
        notice=READ_THROUGH if page.seen_again else NOT_PROFILED,
    )


def following_page(
    session: Session, parts: Parts, viewer: Viewer, limit: int, cursor: str | None
) -> FeedPage:
    """Return a page of the videos of those whom the account follows."""
    if viewer.account_id is None:
        raise Unauthenticated("Sign in to see the videos of those you follow.")
    page = feeds.following(
        session,
        parts.region_key,
        account_id=viewer.account_id,
        limit=limit,
        cursor=cursor,
        country=viewer.country,
    )
    return FeedPage(
        videos=_videos(session, viewer, [(id_, "following") for id_ in page.video_ids]),
        cursor=page.cursor,
        seen_again=False,
        is_profiled=False,
        notice=None,
    )


def _videos(session: Session, viewer: Viewer, shown: Sequence[tuple[int, str]]) -> list[FeedVideo]:
    sources = dict(shown)
    cards = social.cards(session, viewer.account_id, list(sources), viewer.country)
    return [feed_video(card, sources[card.id]) for card in cards]
