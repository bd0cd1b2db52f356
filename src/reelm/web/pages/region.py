"""The page that says who runs the region, where, with what, and under which law."""

from starlette.requests import Request
from starlette.responses import Response

from reelm import regions
from reelm.feed.live import LiveFeed
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.region import read_region
from reelm.web.rendering import page
from reelm.web.viewer import Viewer


def region(
    request: Request, session: Session, parts: Parts, viewer: Viewer, live: LiveFeed
) -> Response:
    """Show the region's public facts."""
    facts = read_region(session, parts, live)
    meanings = regions.meanings()
    policy = [
        {"key": key, "means": meanings.get(key, key), "fact": fact}
        for key, fact in facts.policy.items()
    ]
    # JSON of the API, as every page is given.
    return page(request, viewer, "region.html", facts=facts, policy=policy)
