"""Pages to read: terms, privacy, and the API for people."""

from starlette.requests import Request
from starlette.responses import Response

from reelm.web.rendering import page
from reelm.web.viewer import Viewer


def terms(request: Request, viewer: Viewer) -> Response:
    """Show the terms."""
    return page(request, viewer, "terms.html")


def privacy(request: Request, viewer: Viewer) -> Response:
    """Show the privacy notice."""
    return page(request, viewer, "privacy.html")


def api(request: Request, viewer: Viewer) -> Response:
    """Show the API."""
    return page(request, viewer, "api.html", described=request.app.state.described_api())
