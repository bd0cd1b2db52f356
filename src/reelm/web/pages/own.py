"""What a person has here: uploads, videos, settings."""

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts, videos
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api import follows as follows_api
from reelm.web.api import me as me_api
from reelm.web.api import sessions as sessions_api
from reelm.web.api import videos as videos_api
from reelm.web.pages.gate import require_account
from reelm.web.rendering import page
from reelm.web.viewer import Viewer


def upload(request: Request, session: Session, parts: Parts, viewer: Viewer) -> Response:
    """Show the upload page, with what may still be stored."""
    quota = None
    if viewer.account_id is not None:
        limits = parts.settings.upload
        left = videos.quota_left(session, viewer.account_id, limits)
        quota = {"used_bytes": limits.quota_bytes - left, "limit_bytes": limits.quota_bytes}
    return page(request, viewer, "upload.html", quota=quota)


def my_videos(
    request: Request,
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: Annotated[str, Meta(max_length=64)] | None = None,
) -> Response:
    """Show one's own videos and unfinished uploads."""
    if viewer.account_id is None:
        return RedirectResponse("/sign-in?next=/me/videos", 303)
    listed = videos_api.my_videos(session, viewer, cursor=cursor)
    unfinished = videos_api.my_uploads(session, parts, viewer)
    return page(
        request,
        viewer,
        "my_videos.html",
        videos=listed.videos,
        withheld=listed.withheld,
        cursor=listed.cursor,
        uploads=unfinished.uploads,
    )


def settings(request: Request, session: Session, parts: Parts, viewer: Viewer) -> Response:
    """Show the settings."""
    if viewer.account_id is None:
        return RedirectResponse("/sign-in?next=/settings", 303)
    account_id = require_account(viewer)
    return page(
        request,
        viewer,
        "settings.html",
        account=me_api.me(session, parts, viewer),
        sessions=sessions_api.list_sessions(session, parts, viewer).sessions,
        follow_requests=follows_api.follow_requests(session, viewer).requests,
        recovery_codes_left=accounts.codes_left(session, account_id),
        erasure_complete_by=None,
    )
