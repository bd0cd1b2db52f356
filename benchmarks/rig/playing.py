"""Let a contender serve a simulated world, and keep what happened."""

import time
from dataclasses import dataclass, field

import numpy as np
from benchmarks.rig.contenders import Contender, Knowing, Learner, Lot, Popular, Refitted
from benchmarks.rig.tastes import Audience, World

NAMES = ("reelm", "popular", "refitted", "lot", "knowing")


@dataclass
class Run:
    """What one contender's viewers were shown and did, one entry per exposure."""

    viewer: list[int] = field(default_factory=list)
    exposure: list[int] = field(default_factory=list)
    video: list[int] = field(default_factory=list)
    at_ms: list[int] = field(default_factory=list)
    watched_ms: list[int] = field(default_factory=list)
    on_taste: list[bool] = field(default_factory=list)
    cpu_s: float = 0.0


def play(world: World, who: str | Contender) -> Run:
    """Let a contender, or one by its name, serve all visits of a world."""
    audience, run = Audience(world), Run()
    contender = _contender(who, world, audience) if isinstance(who, str) else who
    published = world.size.first_videos
    begin = time.process_time()
    contender.publish([world.clip(video) for video in range(published)])
    for visit, outcomes in world.past():
        contender.learn(visit, outcomes)
    for visit in world.visits:
        here = int(np.searchsorted(world.published_ms, visit.at_ms, "right"))
        if here > published:
            contender.publish([world.clip(video) for video in range(published, here)])
            published = here
        outcomes = []
        for video in contender.page(visit, world.size.page):
            number = int(audience.exposures[visit.viewer])
            run.exposure.append(number)
            run.on_taste.append(world.topic[video] in world.favourites(visit.viewer, number))
            outcomes.append(audience.watch(visit, video))
            run.viewer.append(visit.viewer)
            run.video.append(video)
            run.at_ms.append(visit.at_ms)
            run.watched_ms.append(outcomes[-1].watched_ms)
        contender.learn(visit, outcomes)
    run.cpu_s = time.process_time() - begin
    return run


def _contender(name: str, world: World, audience: Audience) -> Contender:
    if name == "knowing":
        return Knowing(world, audience)
    kinds = {"reelm": Learner, "popular": Popular, "refitted": Refitted, "lot": Lot}
    made: Contender = kinds[name](world)
    return made
