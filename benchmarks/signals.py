"""What the log takes: `python benchmarks/signals.py [THREADS] [SECONDS]`.

Runs on an embedded PostgreSQL of its own, with fsync. Prints one JSON line: signals per second
that were acknowledged (committed, counted and handed to the ranker, here one that learns nothing)
to THREADS threads that each send one signal, and ten at once.
"""

import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from benchmarks.rig.scratch import scratch_postgres

from reelm.feed.log.appender import Appender, Position
from reelm.feed.signals import Kind, Signal
from reelm.foundation.database.migrate import migrate

VIDEOS, VIEWERS = 20_000, 100_000
FILL = """
INSERT INTO video (id, account_id, caption, audience, state, duration_ms, width, height,
    placeholder, original_bytes, created_at)
SELECT n, 1 + mod(n, 1000), '', 'public', 'ready', 10000, 1080, 1920, '', 0, now()
FROM generate_series(1, %(videos)s) n;
INSERT INTO video_count (video_id) SELECT id FROM video;
SELECT make_signal_day(current_date), make_signal_day(current_date + 1);
"""


def main(threads: int, seconds: float) -> None:
    with scratch_postgres() as conninfo, tempfile.TemporaryDirectory():
        migrate(conninfo)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(FILL.replace("%(videos)s", str(VIDEOS)))
            connection.execute("ANALYZE")
        appender = Appender(conninfo, load=_nothing, apply=_learn_nothing)
        appender.start()
        while not appender.is_holder:
            time.sleep(0.01)
        report: dict[str, Any] = {"threads": threads}
        for at_once in (1, 10, 100):
            report[f"of_{at_once}_at_once"] = _measure(appender, threads, seconds, at_once)
        appender.stop()
        print(json.dumps(report))


def _measure(appender: Appender, threads: int, seconds: float, at_once: int) -> dict[str, float]:
    waits: list[float] = []
    before = appender.counts.signals, appender.counts.batches, appender.counts.write_s
    end = time.monotonic() + seconds
    running = [
        threading.Thread(target=_send, args=(appender, end, at_once, waits, number))
        for number in range(threads)
    ]
    begin = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    took_s = time.perf_counter() - begin
    signals = appender.counts.signals - before[0]
    batches = appender.counts.batches - before[1]
    waits.sort()
    return {
        "signals_per_s": round(signals / took_s),
        "signals_per_batch": round(signals / batches, 1),
        "share_of_time_writing": round((appender.counts.write_s - before[2]) / took_s, 2),
        "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
    }


def _send(appender: Appender, end: float, at_once: int, waits: list[float], seed: int) -> None:
    chance = random.Random(seed)
    while time.monotonic() < end:
        viewer_id = 10**15 + chance.randrange(VIEWERS)
        signals = [
            Signal(
                viewer_id,
                chance.randint(1, VIDEOS),
                Kind.WATCH,
                watched_ms=chance.randint(0, 20_000),
                duration_ms=10_000,
                surface=1,
            )
            for _ in range(at_once)
        ]
        begin = time.perf_counter()
        appender.append(signals)
        waits.append(time.perf_counter() - begin)


def _nothing(_: psycopg.Connection[Any]) -> Position:
    return Position(0, 0)


def _learn_nothing(_: list[Signal]) -> None:
    return


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 32,
        float(sys.argv[2]) if len(sys.argv) > 2 else 5.0,
    )
