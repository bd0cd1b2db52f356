"""A region whose model has learned something, and what is said of a model after a sale."""

import threading
from typing import Any

from sqlalchemy import text
from starlette.testclient import TestClient
from tests.accounts.factory import signed_up
from tests.social.factory import make_account, make_rendition, make_video
from tests.transfer.conftest import Buyer

from reelm import app
from reelm.feed.live import LiveFeed
from reelm.feed.ranker import Ask
from reelm.feed.signals import Kind, Signal
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Database, roles
from reelm.foundation.parts import Parts

KINDS = ("posters", "renditions")


def running(parts: Parts) -> LiveFeed:
    """Return the feed of a region, ready."""
    live = LiveFeed(parts)
    live.start(20)
    assert live.is_ready
    return live


def make_people(parts: Parts) -> tuple[list[int], list[int]]:
    """Make two who watch, and videos of a third; return the ids of both."""
    with parts.transaction() as session:
        viewers = [signed_up(session, parts, handle=name).account_id for name in ("ana", "ben")]
        creator = make_account(session)
        videos = [make_video(session, creator, tags=(f"t{n % 3}",)) for n in range(12)]
        for video in videos:
            make_rendition(session, video, "360")
        kept = {kind: parts.store.put_bytes(kind, kind.encode()).key for kind in KINDS}
        session.execute(text("UPDATE video SET poster_object = :posters"), kept)
        session.execute(text("UPDATE rendition SET object = :renditions"), kept)
    return viewers, videos


def learned(parts: Parts, viewers: list[int]) -> str:
    """Let people watch; return the digest of what the model learned of them."""
    live = running(parts)
    for round_ in range(6):
        for viewer in viewers:
            picks = live.recommend(Ask(viewer, 1_750_000_000_000 + round_, 2))
            assert picks
            for at, pick in enumerate(picks):
                live.observe([
                    Signal(
                        viewer, pick.video_id, Kind.IMPRESSION, source=pick.source,
                        propensity=pick.propensity, surface=1, page_id=round_ + 1, position=at,
                    ),
                    Signal(
                        viewer, pick.video_id, Kind.WATCH, watched_ms=700 * (at * 9 + 1),
                        duration_ms=10_000, long_view=at == 1, surface=1,
                        page_id=round_ + 1, position=at,
                    ),
                ])  # fmt: skip
    digest = live.holder.digest()
    live.stop()
    return digest


def serving(buyer: Buyer) -> Parts:
    """Return what a buyer serves with once it is in charge."""
    settings = load(buyer.home.path, {})
    epoch = app.prepare(buyer.home, settings, buyer.owner)
    ids.use(ids.Snowflakes(region=settings.region.number, process=2))
    conninfo = roles.app_conninfo(buyer.owner, epoch, buyer.home.secret("database-app"))
    database = Database(conninfo, pool_size=8, info={"subscribers": app.EVENTS})
    return Parts(buyer.home, settings, database, buyer.store)


class Gate:
    """Lets so many batches be learned."""

    def __init__(self) -> None:
        self.left = threading.Semaphore(0)

    def let(self, batches):
        self.left.release(batches)

    def by(self, catch_up, batch, learn):
        while not catch_up._stop.is_set():
            if self.left.acquire(timeout=0.01):
                learn(catch_up, batch)
                return


def told(client: TestClient) -> dict[str, Any]:
    """Return what the region says of its model."""
    model: dict[str, Any] = client.get("/api/region").json()["model"]
    return model
