"""A process that holds the feed that learns, to be killed: `serving.py HOME CONNINFO MODE`.

With mode `load` it sends signals from several threads and prints the number of each that was
acknowledged; with `digest` it prints the digest of the state that it has loaded.
"""

import os
import random
import sys
import threading
from itertools import count
from pathlib import Path

import psycopg

from reelm.feed import live as lives
from reelm.feed.live import LiveFeed
from reelm.feed.log import saving
from reelm.feed.ranker import Sizes
from reelm.feed.signals import Kind, Signal
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Database
from reelm.foundation.home import Home
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store

THREADS = 8
FEW = Sizes(**dict.fromkeys(Sizes.__dataclass_fields__, 512))


def main(path: str, conninfo: str, mode: str) -> None:
    home = Home(Path(path))
    settings = load(home.path, {})
    ids.use(ids.Snowflakes(region=7, process=2, floor_ms=int(os.environ["FLOOR_MS"])))
    parts = Parts(home, settings, Database(conninfo), open_store(settings.storage, home))
    lives.SIZES = FEW
    # Snapshots in the middle of it all.
    saving.EVERY_S, saving.SHARE = 0.3, 1.0
    live = LiveFeed(parts)
    live.start(60)
    if mode == "digest":
        os.write(1, f"{live.holder.digest()}\n".encode())
        live.stop()
        return
    with psycopg.connect(conninfo) as connection:
        videos = [row[0] for row in connection.execute("SELECT id FROM video ORDER BY id")]
        viewers = [row[0] for row in connection.execute("SELECT id FROM account ORDER BY id")]
    for number in range(THREADS):
        threading.Thread(target=_send, args=(live, viewers, videos, number)).start()


def _send(live: LiveFeed, viewers: list[int], videos: list[int], thread: int) -> None:
    chance = random.Random(os.getpid() * THREADS + thread)
    for number in count(1):
        page_id = (os.getpid() * THREADS + thread) * 1_000_000 + number
        viewer, video = chance.choice(viewers), chance.choice(videos)
        kind = chance.choice([Kind.IMPRESSION, Kind.WATCH, Kind.WATCH, Kind.LIKE, Kind.SHARE])
        watched_ms = chance.randint(0, 12_000) if kind == Kind.WATCH else 0
        live.observe([
            Signal(
                viewer, video, kind, watched_ms=watched_ms, duration_ms=10_000, page_id=page_id,
                long_view=watched_ms >= 10_000, surface=1, source="popular", propensity=0.3,
            )
        ])  # fmt: skip
        os.write(1, f"{page_id}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
