"""Simulated viewers with hidden, drifting tastes: what learning from every watch is worth.

The viewers and videos are those of benchmarks/rig/tastes.py, whose docstring says what is assumed
and what it cannot say. All contenders (benchmarks/rig/contenders.py) see the same viewers, videos,
arrival times and number of exposures:

    reelm       the ranker, told after each page what the viewer did
    popular     decayed popularity, with the same seen filter and share of places for new videos
    refitted    the same ranker, told only every 60 simulated minutes, as batch recommenders do
    lot, knowing    the floor and the ceiling: drawn by lot, and by one who knows all tastes

Per seed it takes total watch time; ratios are of the same seed. Also: seconds per video in the
first 20 videos of viewers who come when the region is a day old; how many videos after a sudden
change of taste until 4 of the last 10 are about the new favourites (chance gives 1) for the median
viewer, never where fewer than half of them got there, and which share of them did; which share of
new videos got a fair trial (the impressions that reelm/feed/weights.py names) within 24 hours;
which share of impressions went to creators who joined meanwhile.

Seeds 0 to 4 were looked at while the ranker and the baseline were made; --first-seed takes others.

A plot of seconds per video over the first 100 videos of a viewer goes to PLOT (SVG).
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmarks.rig.figures import finish, say, summary
from benchmarks.rig.playing import NAMES, Run, play
from benchmarks.rig.plots import line_plot
from benchmarks.rig.tastes import DAY_MS, START_MS, Size, World

from reelm.feed.weights import TRIAL_IMPRESSIONS

FIRST_VIDEOS = 20
CURVE = 100
WINDOW, FOLLOWED = 10, 4


def main(seeds: range, size: Size, plot: Path | None) -> None:
    """Let all contenders serve the worlds of all seeds, and print one line of JSON."""
    told: dict[str, list[dict[str, float | None]]] = {name: [] for name in NAMES}
    curves: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    for seed in seeds:
        world = World(seed, size)
        for name in NAMES:
            run = play(world, name)
            told[name].append(_figures(world, run))
            curves[name].append(_curve(world, run))
            total_h = sum(run.watched_ms) / 3_600_000
            say(f"seed {seed}, {name}: {total_h:.1f} h watched, {run.cpu_s:.0f} s of CPU")
    if plot is not None:
        lines = {name: list(enumerate(np.mean(curves[name], axis=0), 1)) for name in NAMES}
        line_plot(
            plot,
            {name: _smoothed(line) for name, line in lines.items()},
            title="Watch time over a viewer's first 100 videos (means of 5)",
            x_label="videos seen",
            y_label="seconds per video",
        )
    figures: dict[str, Any] = {"seeds": list(seeds), "size": vars(size)}
    for other in ("popular", "refitted", "lot", "knowing"):
        pairs = zip(told["reelm"], told[other], strict=True)
        ratios = [float(own["total_h"] or 0) / float(its["total_h"] or 1) for own, its in pairs]
        mean = {"mean": round(statistics.fmean(ratios), 3)}
        figures[f"reelm_to_{other}"] = {**mean, **summary(ratios)}
    figures |= {name: _over_seeds(told[name]) for name in NAMES}
    finish("taste", figures)


def _figures(world: World, run: Run) -> dict[str, float | None]:
    watched_s = np.array(run.watched_ms) / 1000
    viewer, exposure = np.array(run.viewer), np.array(run.exposure)
    late = world.first_day[viewer] >= 1
    followed = _videos_until_followed(world, run)
    in_time = [videos for videos in followed if videos is not None]
    middle = sorted(videos if videos is not None else 10**9 for videos in followed)
    half = middle[len(middle) // 2] if middle else None
    in_trial, of_late_creators = _new_ones(world, run)
    first = late & (exposure < FIRST_VIDEOS)
    return {
        "total_h": float(watched_s.sum() / 3600),
        "s_per_video": float(watched_s.mean()),
        "s_per_video_in_first_20": float(watched_s[first].mean()) if first.any() else None,
        "videos_until_switch_followed": half if half != 10**9 else None,
        "switches_followed": len(in_time) / len(followed) if followed else None,
        "on_taste": float(np.mean(run.on_taste)),
        "fair_trials_in_24_h": in_trial,
        "impressions_to_new_creators": of_late_creators,
        "cpu_s": run.cpu_s,
    }


def _videos_until_followed(world: World, run: Run) -> list[int | None]:
    """Return for each switch how many videos it took, None where it was never followed."""
    flags: dict[int, list[bool]] = {}
    for viewer, exposure, fits in zip(run.viewer, run.exposure, run.on_taste, strict=True):
        if world.is_switched(viewer, exposure):
            flags.setdefault(viewer, []).append(fits)
    found: list[int | None] = []
    for line in flags.values():
        counts = (sum(line[max(n - WINDOW, 0) : n]) for n in range(1, len(line) + 1))
        found.append(next((n for n, count in enumerate(counts, 1) if count >= FOLLOWED), None))
    return found


def _new_ones(world: World, run: Run) -> tuple[float, float]:
    """Return the share of new videos with a fair trial, and of impressions to new creators."""
    video, at_ms = np.array(run.video), np.array(run.at_ms)
    age = at_ms - world.published_ms[video]
    within = np.bincount(video[age < DAY_MS], minlength=len(world.creator))
    end = START_MS + (world.size.days - 1) * DAY_MS
    new = (world.published_ms >= START_MS) & (world.published_ms < end)
    tried = float((within[new] >= TRIAL_IMPRESSIONS).mean()) if new.any() else 0.0
    return tried, float((world.creator[video] >= world.size.creators).mean())


def _curve(world: World, run: Run) -> np.ndarray:
    """Return mean seconds by number of the exposure, of viewers who got to the last of them."""
    exposure = np.array(run.exposure)
    lasting = np.bincount(np.array(run.viewer), minlength=world.size.people) >= CURVE
    chosen = (exposure < CURVE) & lasting[np.array(run.viewer)]
    seconds = np.array(run.watched_ms)[chosen] / 1000
    counts = np.maximum(np.bincount(exposure[chosen], minlength=CURVE), 1)
    return np.bincount(exposure[chosen], seconds, minlength=CURVE) / counts


def _smoothed(line: list[tuple[int, float]], width: int = 5) -> list[tuple[float, float]]:
    ys = np.array([y for _, y in line])
    means = np.convolve(ys, np.ones(width) / width, "valid")
    return [(x + width / 2, float(y)) for x, y in enumerate(means, 1)]


def _over_seeds(told: list[dict[str, float | None]]) -> dict[str, Any]:
    """Return the summary of each figure; `never_in` counts seeds where it was not reached."""
    result: dict[str, Any] = {}
    for name in told[0]:
        values = [float(value) for one in told if (value := one[name]) is not None]
        result[name] = summary(values) if values else {}
        if len(values) < len(told):
            result[name]["never_in"] = len(told) - len(values)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--viewers", type=int, default=Size.viewers)
    parser.add_argument("--days", type=int, default=Size.days)
    parser.add_argument("--new-per-day", type=int, default=Size.new_per_day)
    parser.add_argument("--page", type=int, default=Size.page)
    parser.add_argument("--steady", action="store_true", help="tastes do not move")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    main(
        range(given.first_seed, given.first_seed + given.seeds),
        Size(
            viewers=given.viewers,
            days=given.days,
            new_per_day=given.new_per_day,
            page=given.page,
            moving=not given.steady,
        ),
        given.plot,
    )
