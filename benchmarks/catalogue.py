"""What the feed costs by the number of videos: `python benchmarks/catalogue.py [VIDEOS]`.

Runs on an embedded PostgreSQL of its own. Prints one JSON line: times in ms on one connection.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from benchmarks.rig.scratch import scratch_postgres

from reelm import app, feed
from reelm.feed import catalogue
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Base, Database, roles
from reelm.foundation.database.migrate import migrate
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store

# One creator for 20 videos; of each creator's likes and views a long tail; 30 hashtags.
FILL = """
SET session_replication_role = replica;
INSERT INTO account (id, handle, display_name, bio, links, is_private, state, created_at)
SELECT n, 'u' || n, 'User ' || n, '', '[]', false, 'active', now()
FROM generate_series(1, greatest(%(videos)s / 20, 1000)) n;
INSERT INTO video (id, account_id, caption, audience, state, duration_ms, width, height,
    placeholder, original_bytes, created_at, published_at)
SELECT 1000000 + n, 1 + n %% greatest(%(videos)s / 20, 1), '#t' || n %% 30, 'public', 'ready',
    10000, 1080, 1920, '', 0, now() - (%(videos)s - n) * interval '1 min' / 2,
    now() - (%(videos)s - n) * interval '1 min' / 2
FROM generate_series(1, %(videos)s) n;
INSERT INTO video_hashtag SELECT id, 't' || id %% 30 FROM video;
INSERT INTO video_count (video_id, views, completions, likes, watched_ms)
SELECT id, v, (v * (0.1 + 0.8 * random()))::int, (v * 0.1 * random())::int, v * 5000
FROM (SELECT id, (20 / (random() + 0.001))::int AS v FROM video) AS viewed;
INSERT INTO follow SELECT 1, n, 'accepted', now() FROM generate_series(2, 201) n;
INSERT INTO follow SELECT 2, n, 'accepted', now()
    FROM generate_series(3, least(1002, (SELECT count(*) FROM account))) n;
RESET session_replication_role;
"""


def main(videos: int) -> None:
    with _region(videos) as parts:
        report: dict[str, Any] = {"videos": videos, "catalogue_ms": _reading(parts)}
        viewers = {"anonymous": (5 * 10**17, None), "follows_200": (1, 1), "follows_1000": (2, 2)}
        for name, (viewer_id, account_id) in viewers.items():
            pages = [_page(parts, viewer_id, account_id) for _ in range(200)]
            report[name] = {
                "page_ms": _summary([seconds for seconds, _ in pages]),
                "repeats": sum(len(p) for _, p in pages) - len({v for _, p in pages for v in p}),
            }
        told = [feed.Watched(1_000_001 + n, 5000 + n, 10_000, 0, False, False) for n in range(10)]
        report["watches_of_10_ms"] = _summary([_watch(parts, told, n) for n in range(50)])
        print(json.dumps(report))


def _reading(parts: Parts) -> dict[str, float]:
    parts_of_it: dict[str, Callable[[Any], Any]] = {
        "popular": catalogue._popular,  # noqa: SLF001 - each part's own time is the question
        "fresh": catalogue._fresh,  # noqa: SLF001
        "trial": catalogue._trial,  # noqa: SLF001
    }
    times = {}
    for name, read in parts_of_it.items():
        rounds = []
        for _ in range(5):
            with parts.transaction() as session:
                begin = time.perf_counter()
                read(session)
                rounds.append(time.perf_counter() - begin)
        times[name] = round(statistics.median(rounds) * 1000, 1)
    return times


def _page(parts: Parts, viewer_id: int, account_id: int | None) -> tuple[float, list[int]]:
    begin = time.perf_counter()
    with parts.transaction() as session:
        page = feed.recommend(session, parts, viewer_id=viewer_id, account_id=account_id)
    return time.perf_counter() - begin, [shown.video_id for shown in page.videos]


def _watch(parts: Parts, told: list[feed.Watched], viewer_id: int) -> float:
    begin = time.perf_counter()
    with parts.transaction() as session:
        feed.record_watches(session, viewer_id=10**15 + viewer_id, account_id=None, watches=told)
    return time.perf_counter() - begin


def _summary(seconds: list[float]) -> dict[str, float]:
    ms = sorted(s * 1000 for s in seconds)
    # On a busy machine the least is nearest to what the work itself takes.
    return {
        "least": round(ms[0], 2),
        "p50": round(ms[len(ms) // 2], 2),
        "p99": round(ms[int(len(ms) * 0.99)], 2),
    }


@contextmanager
def _region(videos: int) -> Iterator[Parts]:
    with scratch_postgres() as conninfo:
        migrate(conninfo)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(FILL.replace("%(videos)s", str(videos)).replace("%%", "%"))
            connection.execute("VACUUM ANALYZE")
        roles.ensure_app(conninfo, 1, "bench", Base.metadata)
        with tempfile.TemporaryDirectory() as folder:
            home = app.make_region(
                Path(folder) / "r", jurisdiction="neutral", operator="B", name="B", number=1
            )
            settings = load(home.path, {})
            database = Database(conninfo, info={"subscribers": {}})
            ids.use(ids.Snowflakes(region=1, process=1))
            yield Parts(home, settings, database, open_store(settings.storage, home))
            database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
