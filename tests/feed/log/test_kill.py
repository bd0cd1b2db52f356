"""kill -9 under load: nothing that was acknowledged is lost, nothing is there twice."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
from tests.feed.log import serving
from tests.feed.log.factory import log_rows
from tests.social.factory import make_account, make_video

from reelm.feed.facts import all_facts
from reelm.feed.log import snapshots
from reelm.feed.log.replay import replayed
from reelm.feed.ranker import Ranker
from reelm.feed.signals import Kind

KILLS = 3
ACKNOWLEDGED_BEFORE_EACH = 250


def _begin(parts, mode):
    return subprocess.Popen(
        [sys.executable, serving.__file__, str(parts.home.path), parts.database.conninfo, mode],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        # Ids of the process before were made in milliseconds that are not over yet.
        env={
            **os.environ,
            "FLOOR_MS": str(time.time_ns() // 1_000_000),
            "OPENBLAS_NUM_THREADS": "1",
        },
    )


def _killed(parts):
    """Let a process serve for a while, kill it, and return what it had acknowledged."""
    acknowledged = []
    with _begin(parts, "load") as process:
        for line in process.stdout:
            acknowledged.append(int(line))
            is_enough = len(acknowledged) >= ACKNOWLEDGED_BEFORE_EACH
            if is_enough and snapshots.snapshots(parts):
                process.kill()
    assert process.returncode == -9
    return acknowledged


def _digest(parts):
    with _begin(parts, "digest") as process:
        digest = process.stdout.read().strip()
    assert process.returncode == 0
    return digest


def _uninterrupted(parts):
    """Return the digest of a ranker that has taken the log's batches one after the other."""
    ranker = Ranker(serving.FEW)
    with parts.transaction() as session:
        for some in all_facts(session):
            ranker.add_videos(some)
    with psycopg.connect(parts.database.conninfo) as connection:
        for batch in replayed(connection, 0):
            ranker.observe(batch)
    return ranker.digest()


def test_a_killed_process_loses_nothing_and_goes_on_as_if_it_had_not_been(parts):
    with parts.transaction() as session:
        creators = [make_account(session) for _ in range(5)]
        for number in range(60):
            make_video(session, creators[number % 5], tags=(f"t{number % 6}",))
        for _ in range(20):
            make_account(session)
    acknowledged = []
    for _ in range(KILLS):
        acknowledged += _killed(parts)
    written = Counter(log_rows(parts, "page_id"))
    assert len(acknowledged) >= KILLS * ACKNOWLEDGED_BEFORE_EACH
    assert set(acknowledged) - set(written) == set()
    assert set(written.values()) == {1}
    assert log_rows(parts) == list(range(1, len(written) + 1))
    assert snapshots.snapshots(parts), "no snapshot was made, so nothing was proven of them"
    assert _digest(parts) == _uninterrupted(parts)
    _assert_totals_match_the_log(parts)


def _assert_totals_match_the_log(parts):
    creator_of = "SELECT account_id FROM video WHERE id = video_id"
    with psycopg.connect(parts.database.conninfo) as connection:
        told = connection.execute(
            "SELECT video_id, count(*), sum(watched_ms) FROM signal"
            f" WHERE kind = {int(Kind.WATCH)} AND watched_ms > 0 AND viewer_id <> ({creator_of})"
            " GROUP BY 1 ORDER BY 1"
        ).fetchall()
        counted = connection.execute(
            "SELECT video_id, views, watched_ms FROM video_count WHERE views > 0 ORDER BY 1"
        ).fetchall()
    assert counted == told
