"""What a viewer sets for the feed, what was watched, and how the feed decides."""

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from reelm.feed.live import LiveFeed
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.web.api import feed_settings as settings_api
from reelm.web.api import hidden as hidden_api
from reelm.web.api import history as history_api
from reelm.web.api import reasons as reasons_api
from reelm.web.api.paging import begun_anew
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

TOPICS_TO_CHOOSE_FROM = 40
PageCursor = Annotated[str, Meta(max_length=600)]


def settings(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    hidden: PageCursor | None = None,
) -> Response:
    """Show what is set for the feed; `hidden` is the cursor of older hidden things."""
    offer = settings_api.list_topics(session, request, limit=TOPICS_TO_CHOOSE_FROM)
    found = _hidden_from(session, viewer, hidden)
    return page(
        request,
        viewer,
        "feed_settings.html",
        settings=settings_api.read_settings(session, parts, viewer),
        topics=_telling(offer),
        languages=offer.languages,
        hidden=found.hidden,
        more_hidden=found.cursor,
    )


def _telling(offer: settings_api.Topics) -> list[settings_api.TopicCount]:
    """Return the topics to choose from: what most videos have in common is no choice.

    The offer to newcomers (assets/js/topic-offer.js) leaves out the same.
    """
    videos = sum(language.videos for language in offer.languages)
    telling = [topic for topic in offer.topics if not videos or topic.videos <= videos / 2]
    return telling or offer.topics


def _hidden_from(session: Session, viewer: Viewer, cursor: str | None) -> hidden_api.HiddenPage:
    try:
        return hidden_api.list_hidden(session, viewer, cursor=cursor or None)
    except Invalid:
        # Whoever opens an old or broken link wants the list.
        return hidden_api.list_hidden(session, viewer)


def history(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: PageCursor | None = None,
) -> Response:
    """Show what one has watched."""
    found = history_api.read_history(session, parts, viewer, cursor=begun_anew(cursor))
    return page(
        request,
        viewer,
        "history.html",
        watches=found.watches,
        cursor=found.cursor,
        history_paused=found.history_paused,
    )


def how_it_works(request: Request, viewer: Viewer, live: LiveFeed) -> Response:
    """Show the weights, the sources and the kept places, from where the ranker reads them."""
    table = reasons_api.weights()
    return page(
        request,
        viewer,
        "how_the_feed_works.html",
        parts=table.parts,
        slots=table.slots,
        sources=table.sources,
        is_learning=live.learned() != 1.0,
    )
