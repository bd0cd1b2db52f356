"""The pages of the law: terms and privacy."""

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
