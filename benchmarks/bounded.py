"""Memory that stays under its cap whoever comes, and what the cap costs in quality.

The flood: THINGS new viewers and as many new videos with random 63-bit ids, through a ranker with
the capacities of FLOODED. Each new video is announced; each new viewer watches one video (the
newest in half of the cases, else an older one, Zipf); and after each second one of them one of
REGULARS regular viewers watches something. Resident memory is sampled: it must stay under CAP_MIB,
and `mib_per_million_in_last_half` says whether it grows.

Quality: the viewers of benchmarks/rig/tastes.py served by the ranker with ample capacities, by some
with capacities for a share of what that world has (videos, viewers, creators, hashtags, sounds and
lists of neighbours alike), and by one with capacities for all of it, where for each signal of a
viewer there is one of a stranger with a random id. Total watch time of each against ample, same
seeds.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmarks.rig.contenders import Learner
from benchmarks.rig.figures import finish, say, summary
from benchmarks.rig.playing import play
from benchmarks.rig.tastes import Outcome, Size, Visit, World

from reelm.feed.ranker import Ranker, VideoFacts
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.signals import Kind, Signal, Surface

FLOODED = Sizes(
    videos=50_000,
    viewers=20_000,
    creators=10_000,
    tags=10_000,
    sounds=10_000,
    neighbours=20_000,
)
# The hashed tables have fixed sizes: 256 MiB of effects, 40 of leanings; awaited outcomes take 30.
CAP_MIB = 600
REGULARS = 2_000
BATCH = 1024
SHARES = (0.5, 0.25)
# A stranger's signals for each of a real viewer.
STRANGERS = 1
NOW_MS = 1_767_225_600_000
_MIX = 0x9E3779B97F4A7C15
_BITS = (1 << 63) - 1


def main(things: int, seeds: int, viewers: int) -> None:
    """Measure both, and print one line of JSON."""
    flooded = _flood(things)
    finish("bounded", {"flood": flooded, "quality": _quality(seeds, viewers)})


def _flood(things: int) -> dict[str, Any]:
    before = _resident_mib()
    ranker = Ranker(FLOODED, seed=0)
    rng = np.random.default_rng(0)
    sampled, observed_s, signals = [], 0.0, 0
    begin = time.perf_counter()
    for start in range(0, things, BATCH):
        facts, batch = _strange(rng, start, BATCH)
        clock = time.perf_counter()
        ranker.add_videos(facts)
        ranker.observe(batch)
        observed_s += time.perf_counter() - clock
        signals += len(batch)
        if start // (things // 40 + 1) != (start + BATCH) // (things // 40 + 1):
            sampled.append((start + BATCH, _resident_mib()))
            say(f"{start + BATCH:,} of {things:,}: {sampled[-1][1]} MiB")
    half = [mib for done, mib in sampled if done >= things / 2]
    most = max(mib for _, mib in sampled)
    return {
        "viewers": things,
        "videos": things,
        "signals": signals,
        "viewers_kept": len(ranker.viewers()),
        "seconds": round(time.perf_counter() - begin),
        "signals_and_videos_per_s": round((signals + things) / observed_s),
        "resident_before_mib": before,
        "resident_most_mib": most,
        "mib_per_million_in_last_half": round((half[-1] - half[0]) / (things / 2e6), 2),
        "cap_mib": CAP_MIB,
        "met": most <= CAP_MIB,
    }


def _strange(
    rng: np.random.Generator, start: int, count: int
) -> tuple[list[VideoFacts], list[Signal]]:
    """Return new videos, and what new viewers and regular ones do with them."""
    numbers = range(start, start + count)
    creators = rng.integers(0, 1 + (start + count) // 20, count).tolist()
    sounds = rng.integers(0, 1 + (start + count) // 10, count).tolist()
    facts = [
        VideoFacts(
            _id(number, 1),
            _id(creator, 2),
            ("foryou", f"tag{creator % 3000}", f"rare{number // 3}"),
            _id(sound, 3),
            20_000,
            NOW_MS + number,
        )
        for number, creator, sound in zip(numbers, creators, sounds, strict=True)
    ]
    back = np.where(rng.random(count) < 0.5, 0, (start + 1.0) ** rng.random(count) - 1)
    older = np.exp(rng.random(count) * np.log(start + 1.0)) - 1
    regular = rng.integers(0, REGULARS, count).tolist()
    watched_ms = rng.integers(500, 25_000, count).tolist()
    signals = []
    for place, number in enumerate(numbers):
        video = max(0, number - int(back[place]))
        signals.append(_watch(_id(number, 4), _id(video, 1), NOW_MS + number, watched_ms[place]))
        if number % 2:
            viewer_id, video_id = _id(regular[place], 5), _id(int(older[place]), 1)
            signals.append(_watch(viewer_id, video_id, NOW_MS + number, watched_ms[place]))
    return facts, signals


def _watch(viewer_id: int, video_id: int, at_ms: int, watched_ms: int) -> Signal:
    return Signal(
        viewer_id,
        video_id,
        Kind.WATCH,
        at_ms,
        watched_ms=watched_ms,
        duration_ms=20_000,
        long_view=watched_ms >= 18_000,
        surface=Surface.FOR_YOU,
    )


def _quality(seeds: int, viewers: int) -> dict[str, Any]:
    ratios: dict[str, list[float]] = {}
    for seed in range(seeds):
        world = World(seed, Size(viewers=viewers))
        ample = sum(play(world, Learner(world)).watched_ms)
        tried: dict[str, Learner] = {
            f"capacity for {share:.0%}": Learner(world, _sizes(world, share)) for share in SHARES
        }
        tried["capacity for all, and strangers"] = _Crowded(world, _sizes(world, 1.0))
        for name, learner in tried.items():
            ratios.setdefault(name, []).append(sum(play(world, learner).watched_ms) / ample)
            say(f"seed {seed}, {name}: {ratios[name][-1]:.3f} of the watch time")
    return {name: summary(values) for name, values in ratios.items()}


def _sizes(world: World, share: float) -> Sizes:
    """Return capacities for a share of what the world has."""
    videos = int(len(world.creator) * share)
    return Sizes(
        videos=videos,
        viewers=int(world.size.people * share),
        creators=int(len(world.joined_ms) * share),
        tags=int(len({tag for tags in world.tags for tag in tags}) * share),
        sounds=int(len(set(world.sound.tolist())) * share),
        neighbours=videos,
    )


class _Crowded(Learner):
    """A ranker that meets a stranger with a random id for each signal of a real viewer."""

    def learn(self, visit: Visit, outcomes: Sequence[Outcome]) -> None:
        """Observe the viewer's page, and strangers who watch the same videos."""
        picks = self.given(outcomes)
        self.picks = picks
        super().learn(visit, outcomes)
        rng = np.random.default_rng((visit.at_ms, visit.viewer))
        batch = []
        for pick in picks * STRANGERS:
            stranger, watched_ms = int(rng.integers(1, _BITS)), int(rng.integers(0, 25_000))
            batch.append(_watch(stranger, pick.video_id, visit.at_ms, watched_ms))
        self.ranker.observe(batch)


def _id(number: int, kind: int) -> int:
    return ((number * 8 + kind) * _MIX & _BITS) | 1


def _resident_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return round(found / 1024, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--things", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=120)
    given = parser.parse_args()
    main(given.things, given.seeds, given.viewers)
