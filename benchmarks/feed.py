"""The ranker alone on one core, from 10,000 to 1,000,000 videos: time, memory, signals per second.

Each size runs in a process of its own, bound to one core, with one thread for BLAS. A tenth as
many viewers as videos (at least 5,000), each with a history (benchmarks/rig/crowd.py says how
they are made), all told through `observe` in batches of 256. Then:

    recommend   of ASKS viewers drawn by activity, a page of 10 each; before each one a batch of
                64 signals of others is observed, and after it what the viewer did with the page,
                so that nothing is asked twice of the same state. Wall clock and CPU. On the clock
                of the requests, by which kept lists grow old, a page is asked for every 25 ms: a
                peak hour of 100,000 viewers with a dozen pages a day.
    observe     signals per second in batches of 64, 256 and 1,024: the appender writes at once
                what has come meanwhile, and at 50,000 per second 1,024 come in 20 ms. Inside the
                timed region, once in 4,096 signals, somebody of the batch asks for a page: what
                the batch showed them must not come again, and what is expected of their last video
                must have changed.
    memory      resident at the end and at its peak, of the whole process; `of_it_rig` is what the
                process took before there was a ranker.
    brute_force_ms   to compare, in the same process: a plain matrix of 32 float32 per video, all
                scored by one numpy product for one viewer, seen ones taken out, and the top 10.

Goals, at 1,000,000 videos and 100,000 viewers: recommend p50 <= 3 ms, p99 <= 10 ms, memory <= 1.5
GB, observe >= 50,000 per second. A plot of the times by size goes to PLOT (SVG).

The same over HTTP is benchmarks/http.py.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmarks.rig.crowd import FIRST_ID, Crowd
from benchmarks.rig.figures import finish, say
from benchmarks.rig.plots import line_plot

from reelm.feed.ranker import Ranker
from reelm.feed.signals import Kind, Signal

SIZES = (10_000, 31_000, 100_000, 316_000, 1_000_000)
VIDEOS_A_VIEWER, LEAST_VIEWERS = 10, 5_000
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
PAGE = 10
FILL_BATCH = 256
BATCHES = (64, 256, 1024)
CHECK_EVERY = 4096
WIDTH = 32
GOALS = {"p50_ms": 3.0, "p99_ms": 10.0, "memory_gb": 1.5, "observe_per_s": 50_000}


def main(sizes: list[int], asks: int, history: int, core: int, plot: Path | None) -> None:
    """Measure each size in a process of its own, and print one line of JSON."""
    curve = []
    for videos in sizes:
        command = [sys.executable, __file__, "--one", str(videos)]
        options = ["--asks", str(asks), "--history", str(history), "--core", str(core)]
        done = subprocess.run(
            [*command, *options],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ONE_THREAD,
        )
        curve.append(json.loads(done.stdout.splitlines()[-1]))
        say(f"{videos:,} videos: {json.dumps(curve[-1]['recommend'])}")
    if plot is not None:
        shown = {
            "recommend p99": [(one["videos"], one["recommend"]["p99_ms"]) for one in curve],
            "recommend p50": [(one["videos"], one["recommend"]["p50_ms"]) for one in curve],
            "brute force": [(one["videos"], one["brute_force_ms"]) for one in curve],
        }
        title = "One page of ten for one viewer, on one core"
        line_plot(plot, shown, title=title, x_label="videos", y_label="ms", log=True)
    finish("feed", {"curve": curve, "at_most": _against_goals(curve[-1])})


def one(videos: int, asks: int, history: int, core: int) -> None:
    """Measure one size in this process, and print it as JSON."""
    os.sched_setaffinity(0, {core})
    crowd = Crowd(videos, max(videos // VIDEOS_A_VIEWER, LEAST_VIEWERS))
    rig_mib = _mib("VmRSS")
    begin = time.perf_counter()
    ranker = Ranker(seed=0)
    for facts in crowd.facts():
        ranker.add_videos(facts)
    added_s = time.perf_counter() - begin
    begin = time.perf_counter()
    told = _fill(ranker, crowd, history)
    filled_s = time.perf_counter() - begin
    found: dict[str, Any] = {
        "videos": videos,
        "viewers": len(ranker.viewers()),
        "signals": told,
        "fill": {"videos_per_s": round(videos / added_s), "with_rig_s": round(filled_s, 1)},
        "recommend": _recommend(ranker, crowd, asks),
        "observe": {f"batches_of_{size}": _observe(ranker, crowd, size) for size in BATCHES},
        "memory_mib": {
            "resident": _mib("VmRSS"),
            "peak": _mib("VmHWM"),
            "of_it_rig": rig_mib,
        },
    }
    found["brute_force_ms"] = _brute_force(videos)
    print(json.dumps(found))


def _fill(ranker: Ranker, crowd: Crowd, history: int) -> int:
    """Tell the ranker of `history` videos for each viewer on average, two signals each."""
    wanted = 2 * history * crowd.viewers
    for start in range(0, wanted, FILL_BATCH):
        ranker.observe(crowd.signals(FILL_BATCH))
        if start // 500_000 != (start + FILL_BATCH) // 500_000:
            say(f"{start + FILL_BATCH:,} of {wanted:,} signals")
    return wanted


def _recommend(ranker: Ranker, crowd: Crowd, asks: int) -> dict[str, float]:
    wall_ms, cpu_ms = [], []
    for viewer in crowd.someone(asks + 20).tolist():
        ranker.observe(crowd.signals(64))
        ask = crowd.ask(viewer, PAGE)
        cpu, wall = time.thread_time(), time.perf_counter()
        picks = ranker.recommend(ask)
        wall_ms.append((time.perf_counter() - wall) * 1000)
        cpu_ms.append((time.thread_time() - cpu) * 1000)
        if len({pick.video_id for pick in picks}) != PAGE:
            sys.exit(f"A page of {len(picks)} instead of {PAGE}, or with repeats.")
        ranker.observe(crowd.page(viewer, [pick.video_id for pick in picks]))
    wall_ms, cpu_ms = wall_ms[20:], cpu_ms[20:]  # the first ones load what is loaded on first use
    return {
        "asks": asks,
        "p50_ms": _quantile(wall_ms, 0.5),
        "p99_ms": _quantile(wall_ms, 0.99),
        "most_ms": _quantile(wall_ms, 1.0),
        "p50_cpu_ms": _quantile(cpu_ms, 0.5),
        "p99_cpu_ms": _quantile(cpu_ms, 0.99),
    }


def _observe(ranker: Ranker, crowd: Crowd, size: int) -> dict[str, float]:
    """Return signals per second, with the checks that the state is visible in the time."""
    batches = [crowd.signals(size) for _ in range(3 * CHECK_EVERY // size * 5)]
    asks = [crowd.ask(batch[0].viewer_id - FIRST_ID, PAGE) for batch in batches]
    checks = 0
    cpu, wall = time.thread_time(), time.perf_counter()
    for number, batch in enumerate(batches):
        is_checked = number % (CHECK_EVERY // size) == 0
        last = next(signal for signal in reversed(batch) if signal.kind == Kind.WATCH)
        before = _expected(ranker, last) if is_checked else None
        ranker.observe(batch)
        if is_checked:
            checks += 1
            mine = {s.video_id for s in batch if s.viewer_id == batch[0].viewer_id}
            again = mine & {pick.video_id for pick in ranker.recommend(asks[number])}
            if again or _expected(ranker, last) == before:
                sys.exit(f"After a batch of {size} the next page does not reflect it: {again}")
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    count = sum(len(batch) for batch in batches)
    return {"per_s": round(count / wall), "per_cpu_s": round(count / cpu), "checks": checks}


def _expected(ranker: Ranker, watch: Signal) -> object:
    return ranker.predict(watch.viewer_id, watch.video_id, at_ms=watch.at_ms, surface=watch.surface)


def _brute_force(videos: int) -> float:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((videos, WIDTH), np.float32)
    popularity = rng.standard_normal(videos, np.float32)
    times_ms = []
    for _ in range(30):
        viewer = rng.standard_normal(WIDTH, np.float32)
        seen = rng.integers(0, videos, 200)
        begin = time.perf_counter()
        score = vectors @ viewer + popularity
        score[seen] = -np.inf
        top = np.argpartition(score, -PAGE)[-PAGE:]
        top[np.argsort(-score[top])]
        times_ms.append((time.perf_counter() - begin) * 1000)
    return _quantile(times_ms, 0.5)


def _against_goals(found: dict[str, Any]) -> dict[str, Any]:
    measured = {
        "p50_ms": found["recommend"]["p50_ms"],
        "p99_ms": found["recommend"]["p99_ms"],
        "memory_gb": round(found["memory_mib"]["peak"] * 1024 * 1024 / 1e9, 2),
        "observe_per_s": found["observe"][f"batches_of_{BATCHES[-1]}"]["per_s"],
    }
    met = {
        name: value >= GOALS[name] if name == "observe_per_s" else value <= GOALS[name]
        for name, value in measured.items()
    }
    return {"videos": found["videos"], "measured": measured, "goals": GOALS, "met": met}


def _quantile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(int(len(values) * share), len(values) - 1)], 3)


def _mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of videos")
    parser.add_argument("--asks", type=int, default=1000)
    parser.add_argument("--history", type=int, default=10, help="videos seen per viewer (mean)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one(given.one, given.asks, given.history, given.core)
    else:
        chosen = [size for size in SIZES if size <= given.most]
        main(chosen, given.asks, given.history, given.core, given.plot)
