"""The order of a page: distance, variety, and the places for what is new."""

import numpy as np
import pytest

from reelm.feed.ranker.rerank import CREATOR_GAP, Row, rerank
from reelm.feed.weights import trial_share

COUNT = 200


def row(score, *, creators=None, tags=None, sounds=None, trial=(), new_creator=()) -> Row:
    count = len(score)
    own = np.arange(count, dtype=np.int32)
    no = np.full(count, -1, np.int32)
    return Row(
        rows=own,
        score=np.array(score, np.float32),
        promise=np.array(score, np.float32),
        source=np.zeros(count, np.int8),
        creators=own if creators is None else np.array(creators, np.int32),
        sounds=no if sounds is None else np.array(sounds, np.int32),
        tags=np.full((count, 4), -1, np.int32) if tags is None else np.array(tags, np.int32),
        trial=np.isin(own, trial),
        new_creator=np.isin(own, new_creator),
    )


def ordered(candidates: Row, limit: int = 10, *, before=None, variety=0.5, **more) -> list[int]:
    draw = np.random.default_rng(more.pop("seed", 0))
    wanted = {"newness": 0.5, **more}
    return rerank(candidates, before, limit, variety=variety, draw=draw, **wanted)[0]


def test_the_highest_scores_come_first_and_each_video_once():
    score = np.maximum(np.arange(COUNT) - 189, 0)

    places = ordered(row(score))

    assert places == list(range(COUNT - 1, COUNT - 11, -1))


def test_what_comes_first_in_any_case_comes_first():
    assert ordered(row(np.arange(COUNT) * 5.0), first=7)[0] == 7


def test_a_creator_is_not_met_again_too_soon_not_even_from_the_page_before():
    score = np.arange(COUNT)[::-1] * 5.0
    creators = np.arange(COUNT) // 20  # the best twenty are by one
    before = row([0.0], creators=[1])

    places = ordered(row(score, creators=creators), before=before)

    met = [1, *creators[places].tolist()]
    for place, creator in enumerate(met):
        assert creator not in met[max(0, place - CREATOR_GAP) : place]


def test_creators_come_nearer_only_when_there_are_too_few():
    places = ordered(row([3.0, 2.0, 1.0, 0.0], creators=[1, 1, 2, 2]), 4)

    assert sorted(places) == [0, 1, 2, 3]
    assert [(1, 1, 2, 2)[place] for place in places] == [1, 2, 1, 2]


def test_a_sound_is_not_heard_twice_in_a_row():
    sounds = [7] * 10 + [-1] * 190
    places = ordered(row(np.arange(COUNT)[::-1] * 0.01, sounds=sounds), 3)

    assert sum(place < 10 for place in places) == 1


@pytest.mark.parametrize("seed", range(3))
def test_variety_spreads_hashtags(seed):
    tags = np.full((COUNT, 4), -1)
    tags[:, 0] = np.arange(COUNT) % 8
    tags[:60, 0] = 0  # the best are all about one thing
    candidates = row(np.linspace(4, 0, COUNT), tags=tags)

    kinds = [len({tags[p, 0] for p in ordered(candidates, variety=v, seed=seed)}) for v in (0, 1)]

    assert kinds[0] < 3 < kinds[1]


@pytest.mark.parametrize("newness", [0.0, 0.5, 1.0])
def test_videos_on_trial_have_their_share_of_places_with_the_propensity_that_is_told(newness):
    trial = np.arange(100, 200)
    score = np.where(np.arange(COUNT) < 100, 50.0, 0.0)  # by score alone they would never come
    draw = np.random.default_rng(1)
    chosen, told = list[int](), 0.0
    for _ in range(300):
        candidates = row(score, trial=trial)
        places, likely = rerank(candidates, None, 10, variety=0, newness=newness, draw=draw)
        chosen += places
        told += sum(p for place, p in zip(places, likely, strict=True) if place < 100)

    share = np.mean(np.array(chosen) >= 100)
    assert share == pytest.approx(trial_share(newness), rel=0.25)
    assert told / len(chosen) == pytest.approx((1 - trial_share(newness)) ** 2, rel=0.05)


def test_half_of_the_trials_are_for_new_creators():
    trial = np.arange(100, 200)
    score = np.where(np.arange(COUNT) < 100, 50.0, 0.0)
    candidates = row(score, trial=trial, new_creator=np.arange(100, 110))
    places = [p for seed in range(300) for p in ordered(candidates, 3, newness=1, seed=seed)]

    mine = np.mean([place < 110 for place in places if place >= 100])

    # And of the other half their part, a tenth.
    assert mine == pytest.approx(0.55, rel=0.2)
