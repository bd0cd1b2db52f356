"""What a viewer sets for the feed, what was watched, and how the feed decides."""

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api import feed_settings as settings_api
from reelm.web.api import hidden as hidden_api
from reelm.web.api import history as history_api
from reelm.web.api import reasons as reasons_api
from reelm.web.api.paging import Cursor
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

TOPICS_TO_CHOOSE_FROM = 40
HiddenFrom = Annotated[str, Meta(max_length=600)]


def settings(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    hidden: HiddenFrom | None = None,
) -> Response:
    """Show what is set for the feed; `hidden` is the cursor of older hidden things."""
    offer = settings_api.list_topics(session, limit=TOPICS_TO_CHOOSE_FROM)
    found = hidden_api.list_hidden(session, viewer, cursor=hidden)
    return page(
        request,
        viewer,
        "feed_settings.html",
        settings=settings_api.read_settings(session, parts, viewer),
        topics=offer.topics,
        languages=offer.languages,
        hidden=found.hidden,
        more_hidden=found.cursor,
    )


def history(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: Cursor | None = None,
) -> Response:
    """Show what one has watched."""
    found = history_api.read_history(session, parts, viewer, cursor=cursor)
    return page(
        request,
        viewer,
        "history.html",
        watches=found.watches,
        cursor=found.cursor,
        history_paused=found.history_paused,
    )


def how_it_works(request: Request, viewer: Viewer) -> Response:
    """Show the weights, the sources and the kept places, from where the ranker reads them."""
    table = reasons_api.weights()
    return page(
        request,
        viewer,
        "how_the_feed_works.html",
        parts=table.parts,
        slots=table.slots,
        sources=table.sources,
    )
