"""The page that tells where the sale of the region stands."""

from starlette.requests import Request
from starlette.responses import Response

from reelm import transfer as sales
from reelm.foundation.database import Session
from reelm.web.api.transfers import list_transfers
from reelm.web.rendering import page
from reelm.web.viewer import Viewer


def transfer(request: Request, session: Session, viewer: Viewer) -> Response:
    """Show the sales of this region, and what the one that is announced means for people."""
    told = sales.news(session)
    meaning = [] if told is None else sales.words(told).split("\n\n")
    return page(request, viewer, "transfer.html", told=list_transfers(session), meaning=meaning)
