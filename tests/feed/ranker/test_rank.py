"""The score: public weights times what the heads expect, and what is told of it."""

import numpy as np
import pytest
from tests.feed.ranker.world import START_MS, World, topics

from reelm.feed.ranker import rank
from reelm.feed.ranker.rank import NAMES, TOLD
from reelm.feed.weights import HEADS

ANNA, BEN = 501, 502


@pytest.fixture
def world() -> World:
    world = World(topics())
    for video_id in (1, 2, 3, 20, 40):
        world.watch(ANNA, video_id, to_the_end=video_id < 10)
    return world


def scored(world: World, viewer_id: int) -> rank.Scores:
    model = world.ranker._model
    viewer = model.viewers.find(viewer_id)
    profile = model.relevance.profile(viewer)
    rows = np.arange(model.catalogue.videos.top, dtype=np.int32)
    return rank.score(model, profile, viewer, rows, surface=1, at_ms=START_MS)


def test_a_score_is_the_public_weights_times_the_parts(world):
    scores = scored(world, ANNA)

    weights = {weight.name: weight.weight for weight in HEADS}
    by_hand = sum(weights[name] * scores.parts[:, n] for n, name in enumerate(NAMES))
    np.testing.assert_allclose(scores.total, by_hand, rtol=1e-5)
    assert set(NAMES) == set(weights)


def test_each_viewer_has_scores_of_their_own_and_a_new_one_has_some(world):
    assert not np.allclose(scored(world, ANNA).total, scored(world, BEN).total)
    assert np.isfinite(scored(world, BEN).total).all()


def test_what_was_watched_long_scores_higher_than_what_was_skipped(world):
    total = scored(world, ANNA).total

    assert total[3:12].mean() > total[13:24].mean()  # topic0, topic1


def test_one_viewer_is_scored_as_if_each_video_were_asked_for_alone(world):
    model = world.ranker._model
    viewer = model.viewers.find(ANNA)
    profile, together = model.relevance.profile(viewer), scored(world, ANNA)
    for row in (0, 17, 60):
        rows = np.array([row], np.int32)
        alone = rank.score(model, profile, viewer, rows, surface=1, at_ms=START_MS)
        np.testing.assert_allclose(alone.total[0], together.total[row], rtol=1e-4)


def test_reasons_are_the_strongest_differences_from_the_middle(world):
    scores, model = scored(world, ANNA), world.ranker._model
    profile = model.relevance.profile(model.viewers.find(ANNA))

    (reasons,) = rank.reasons(model, profile, scores, [5], 1)

    assert "topic:topic0" in dict(reasons)
    amounts = [abs(amount) for _, amount in reasons]
    assert amounts == sorted(amounts, reverse=True)
    names = {name.split(":")[0] for name, _ in reasons}
    assert names <= set(NAMES) - {"relevance"} | set(TOLD)


def test_nothing_is_said_of_a_viewer_that_is_not_so(world):
    for video_id in (4, 30, 50, 70, 90, 110):
        world.watch(BEN, video_id, to_the_end=False)
    scores, model = scored(world, BEN), world.ranker._model
    profile = model.relevance.profile(model.viewers.find(BEN))

    told = rank.reasons(model, profile, scores, list(range(0, 120, 7)), 1)

    personal = set(TOLD) - {"popular"}
    for reasons in told:
        assert not any(a > 0 for name, a in reasons if name.split(":")[0] in personal)
    said = {name for reasons in told for name, amount in reasons if amount < 0}
    assert "topic:topic0" in said  # that one was swiped past is so
