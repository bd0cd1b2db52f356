"""The page that tells where the sale of the region stands."""

from starlette.requests import Request
from starlette.responses import Response

from reelm.foundation.database import Session
from reelm.web.api.transfers import list_transfers
from reelm.web.rendering import page
from reelm.web.viewer import Viewer


def transfer(request: Request, session: Session, viewer: Viewer) -> Response:
    """Show the sales of this region: the one that is open, and those that ended."""
    return page(request, viewer, "transfer.html", told=list_transfers(session))
