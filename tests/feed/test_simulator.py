"""The simulated viewers that the ranker is tried on (benchmarks/rig/tastes.py)."""

import ast
import sys
from pathlib import Path

import numpy as np
from benchmarks.rig.tastes import Audience, Size, World

SIMULATOR = Path(__file__).parents[2] / "benchmarks/rig/tastes.py"
SMALL = Size(
    viewers=8,
    days=2,
    first_videos=60,
    new_per_day=10,
    creators=12,
    past_viewers=5,
    past_videos=20,
)


def test_the_simulator_imports_nothing_of_the_product():
    imported = set()
    for node in ast.walk(ast.parse(SIMULATOR.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).partition(".")[0])
    assert imported <= {"numpy", *sys.stdlib_module_names}


def test_one_seed_is_one_world_with_one_course_of_events():
    one, same, other = World(1, SMALL), World(1, SMALL), World(2, SMALL)
    assert one.visits == same.visits
    assert [one.clip(video) for video in range(60)] == [same.clip(video) for video in range(60)]
    np.testing.assert_array_equal(one.taste, same.taste)
    assert one.past() == same.past()
    assert one.past() != other.past()


def test_what_a_viewer_does_depends_on_what_that_viewer_was_shown_only():
    world = World(3, SMALL)
    visit = world.visits[0]
    stranger = next(later for later in world.visits if later.viewer != visit.viewer)
    alone, among_others = Audience(world), Audience(world)
    for video in range(10, 20):
        among_others.watch(stranger, video)
    mine = [alone.watch(visit, video) for video in range(10)]
    assert [among_others.watch(visit, video) for video in range(10)] == mine


def test_who_is_interested_watches_longer_and_likes_more_often():
    size = Size(viewers=60, days=1, first_videos=400, past_viewers=0)
    world, watched, liked = World(4, size), {}, {}
    for kind, sign in (("best", -1), ("worst", 1)):
        audience, outcomes = Audience(world), []
        for visit in world.visits:
            order = np.argsort(sign * audience.interest(visit, np.arange(400)))
            outcomes += [audience.watch(visit, int(video)) for video in order[:5]]
        watched[kind] = np.mean([done.watched_ms for done in outcomes])
        liked[kind] = np.mean([done.liked for done in outcomes])
    assert watched["best"] > 2 * watched["worst"]
    assert liked["best"] > 2 * liked["worst"]


def test_videos_appear_over_time_and_some_by_creators_who_have_just_come():
    world = World(5, SMALL)
    assert (np.diff(world.published_ms) >= 0).all()
    assert (world.joined_ms[world.creator] <= world.published_ms).all()
    assert (world.creator[60:] >= SMALL.creators).any()
