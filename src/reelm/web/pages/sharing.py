"""oEmbed: what another site may show of a public video (oembed.com)."""

import re
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from starlette.requests import Request

from reelm.foundation.database import Session
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.web.api import videos as videos_api
from reelm.web.rendering import origin
from reelm.web.viewer import Viewer

_VIDEO = re.compile(r"^/@[^/]+/([1-9][0-9]{0,18})$")


class OEmbed(msgspec.Struct, frozen=True, kw_only=True):
    """A link with a picture; nothing of ours runs inside another site's page."""

    version: str = "1.0"
    type: str = "link"
    title: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    thumbnail_url: str
    thumbnail_width: int
    thumbnail_height: int


def oembed(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    url: Annotated[str, Meta(max_length=2000)],
) -> OEmbed:
    """Describe a public video for a link preview."""
    site = origin(request, parts)
    found = _VIDEO.match(urlsplit(url).path) if url.startswith(site + "/") else None
    if found is None or int(found.group(1)) >= 1 << 63:
        raise Missing("This is not the address of a video here.")
    stranger = replace(viewer, account_id=None, handle=None, role=None, session_id=None)
    video = videos_api.video(session, stranger, int(found.group(1)))
    return OEmbed(
        title=video.caption or f"A video by @{video.creator.handle}",
        author_name=video.creator.display_name,
        author_url=f"{site}/@{video.creator.handle}",
        provider_name=parts.settings.region.name,
        provider_url=site,
        thumbnail_url=f"{site}{video.poster_url or ''}",
        thumbnail_width=video.width,
        thumbnail_height=video.height,
    )
