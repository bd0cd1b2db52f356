"""Where candidates come from, and that each remembers it."""

from typing import Any

import pytest
from tests.feed.ranker.world import HOUR_MS, START_MS, World, facts, topics

from reelm.feed.ranker import Ask
from reelm.feed.ranker.candidates import MOST, NUMBER_OF
from reelm.feed.signals import Kind, Signal

ANNA, BEN = 501, 502


def found(world: World, viewer_id: int, **ask) -> dict[str, set[int]]:
    """Return the ids that each source brings a viewer."""
    model, candidates = world.ranker._model, world.ranker._candidates
    wanted = Ask(viewer_id, world.now_ms, **ask)
    result = candidates.find(wanted, model.viewers.find(viewer_id))
    names = {number: name for name, number in NUMBER_OF.items()}
    by_source = dict[str, set[int]]()
    for video_id, source in zip(
        model.catalogue.videos.ids[result.rows].tolist(), result.source.tolist(), strict=True
    ):
        by_source.setdefault(names[source], set()).add(video_id)
    return by_source


def test_no_video_comes_from_two_sources_nor_too_many_from_one():
    world = World(topics(20, 40))
    for video_id in range(1, 200, 3):
        world.watch(ANNA, video_id, to_the_end=video_id % 2 == 0)

    by_source = found(world, ANNA, followed=frozenset({1001, 1002, 1003}))

    everything = [video_id for ids in by_source.values() for video_id in ids]
    assert len(everything) == len(set(everything))
    assert {name: len(ids) for name, ids in by_source.items() if len(ids) > MOST[name]} == {}


def test_interest_brings_the_topic_and_the_creator_that_were_watched():
    world = World(topics(10, 40))
    for video_id in (1, 2, 3):  # topic0
        world.watch(ANNA, video_id, to_the_end=True)

    assert found(world, ANNA)["interest"] >= set(range(4, 41))
    assert "interest" not in found(world, BEN)


def test_chosen_topics_are_not_taken_for_what_was_watched():
    by_source = found(World(topics(10, 12)), BEN, topics=("topic3",))
    assert by_source["chosen"] == set(range(37, 49))
    assert "interest" not in by_source


def test_neighbours_are_what_others_watched_beside_it_more_than_by_chance():
    world = World(topics(10, 12))
    for viewer_id in range(700, 730):
        pair = (1, 60) if viewer_id % 3 == 0 else (viewer_id % 50 + 61, 120)
        for video_id in pair if viewer_id % 2 else pair[::-1]:
            world.watch(viewer_id, video_id, to_the_end=True)
    world.watch(ANNA, 1, to_the_end=True)

    beside = found(world, ANNA)["neighbours"]

    assert 60 in beside
    assert 120 not in beside


def test_following_brings_the_newest_of_those_who_are_followed():
    newer = facts(900, topic="topic9", creator=1001, published_ms=START_MS - HOUR_MS)
    world = World([*topics(10, 12), newer])

    assert 900 in found(world, ANNA, followed=frozenset({1001}))["following"]


def test_new_brings_videos_on_trial_only():
    old = [facts(n, published_ms=START_MS - 1000 * HOUR_MS) for n in range(1, 6)]
    new = [facts(n, published_ms=START_MS - HOUR_MS) for n in range(6, 11)]
    candidates = World([*old, *new]).ranker._candidates

    rows = candidates._new(Ask(ANNA, START_MS))

    assert set(candidates.catalogue.videos.ids[rows].tolist()) <= set(range(6, 11))
    assert len(rows)


def test_who_has_seen_what_is_popular_finds_more_further_down():
    world = World(topics(25, 40), sizes=World.larger(videos=1 << 11, pending=1 << 12))
    for video_id in range(1, 1001):
        for viewer_id in range(600, 600 + (1001 - video_id) // 250):
            world.observe(
                Signal(viewer_id, video_id, Kind.WATCH, watched_ms=5000, long_view=True, surface=1)
            )
    popular = found(world, BEN)["popular"]
    world.observe(*(Signal(ANNA, video_id, Kind.IMPRESSION) for video_id in range(1, 600)))

    left = found(world, ANNA)["popular"]

    assert max(popular) < 600
    assert len(left) == len(popular)
    assert min(left) >= 600


@pytest.mark.parametrize("what", ["without", "seen", "avoided", "language"])
def test_what_may_not_come_comes_from_no_source(what):
    world = World([*topics(3, 12), facts(100, topic="topic0", creator=1000, language="de")])
    ask: dict[str, Any] = {}
    if what == "without":
        ask["without"] = frozenset({100})
    elif what == "seen":
        world.observe(Signal(ANNA, 100, Kind.IMPRESSION))
    elif what == "avoided":
        ask["avoided"] = frozenset({1000})
    else:
        ask["languages"] = ("en",)

    came = set().union(*found(world, ANNA, **ask).values())
    assert 100 not in came
    assert came
