"""The feed, one video's page, and a creator's page."""

from typing import Annotated
from urllib.parse import quote

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import moderation
from reelm.feed.live import LiveFeed, Outbox
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api import feed as feed_api
from reelm.web.api import feed_settings as settings_api
from reelm.web.api import profiles as profiles_api
from reelm.web.api import videos as videos_api
from reelm.web.api.paging import begun_anew
from reelm.web.rendering import origin, page
from reelm.web.viewer import Viewer

# Few, so that what follows can learn from the first of them.
FIRST_VIDEOS = 4


def feed(
    request: Request,
    session: Session,
    parts: Parts,
    live: LiveFeed,
    outbox: Outbox,
    viewer: Viewer,
    tab: feed_api.FeedTab = "for_you",
    topic: feed_api.Topic = "",
    language: settings_api.LanguageChoice = "",
) -> Response:
    """Show the feed with its first videos."""
    if tab == "following" and viewer.account_id is None:
        return page(request, viewer, "feed.html", videos=[], cursor="", tab=tab)
    if tab != "popular":
        topic = language = ""
    offer = settings_api.Topics([], [])
    if tab == "popular":
        offer = settings_api.list_topics(session, request)
    first = feed_api.feed(
        session,
        parts,
        live,
        outbox,
        viewer,
        limit=FIRST_VIDEOS,
        tab=tab,
        topic=topic,
        language=language,
    )
    return page(
        request,
        viewer,
        "feed.html",
        videos=first.videos,
        cursor=first.cursor,
        tab=tab,
        notice=first.notice,
        is_nothing_left=first.notice == feed_api.NOTHING_LEFT,
        topics=offer.topics,
        languages=offer.languages,
        topic=topic,
        language=language,
    )


def video(
    request: Request, session: Session, parts: Parts, viewer: Viewer, handle: str, video_id: int
) -> Response:
    """Show one video; a wrong or old handle in the address is put right."""
    found = videos_api.video(session, viewer, video_id)
    if found.creator.handle != handle:
        return RedirectResponse(found.page_url, 308)
    site = origin(request, parts)
    oembed_url = f"{site}/oembed?url={quote(site + found.page_url, safe='')}"
    return page(request, viewer, "video.html", video=found, origin=site, oembed_url=oembed_url)


def profile(
    request: Request,
    session: Session,
    viewer: Viewer,
    handle: str,
    cursor: Annotated[str, Meta(max_length=64)] | None = None,
) -> Response:
    """Show an account and its videos."""
    found = profiles_api.profile(session, viewer, handle)
    listed = profiles_api.profile_videos(session, viewer, handle, cursor=begun_anew(cursor))
    may_see = not found.is_private or found.is_mine or bool(found.is_followed)
    return page(
        request,
        viewer,
        "profile.html",
        profile=found,
        videos=listed.videos,
        cursor=listed.cursor,
        may_see=may_see,
        has_withheld=found.is_mine and moderation.has_withheld(session, int(found.id)),
    )
