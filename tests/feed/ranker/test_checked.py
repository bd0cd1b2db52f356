"""A state from elsewhere: taken in as it was, or refused, and nothing in between."""

import json
import random

import numpy as np
import pytest
from tests.feed.ranker.world import SIZES, World, topics

from reelm.feed.ranker import Ask, State
from reelm.feed.ranker.checked import ROWS_OF, TABLES, checked
from reelm.feed.signals import Kind, Signal


@pytest.fixture(scope="module")
def world():
    world = World(topics())
    for viewer in range(7001, 7012):
        for pick in world.page(viewer):
            world.watch(viewer, pick.video_id, to_the_end=pick.video_id % 3 == 0)
            world.act(viewer, Kind.LIKE, pick.video_id)
    world.ranker.remove_videos([1, 2])
    world.ranker.forget(7001)
    return world


@pytest.fixture
def state(world):
    header, arrays = world.ranker.state()
    copied = {name: np.array(array) for name, array in arrays.items()}
    return State(json.loads(json.dumps(header)), copied)


def test_a_state_as_a_ranker_saves_it_is_taken_in(world, state):
    assert checked(state, SIZES).digest() == world.ranker.digest()
    assert checked(state._replace(header={**state.header, "more": 1}), SIZES).digest()


def spoilt(state, path, value):
    part = state.header
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], 1),
        (["sizes"], None),
        (["sizes", "videos"], 1 << 40),
        (["sizes", "videos"], -1),
        (["sizes", "videos"], 1024.0),
        (["sizes", "viewers"], SIZES.viewers + 1),
        (["admitted"], 10**40),
        (["videos", "top"], -1),
        (["videos", "top"], SIZES.videos + 1),
        (["videos", "free"], [10**9]),
        (["videos", "free"], [0, 0]),
        (["videos", "free"], []),
        (["videos", "free"], None),
        (["pending", "count"], -1),
        (["pending", "count"], 1 << 62),
        (["pending", "count"], 0),
        (["popularity", "origin_ms"], -5.0),
        (["vectors", "random"], {"bit_generator": "MT19937"}),
        (["vectors", "random"], []),
        (["heads", "effects", "bits"], 60),
        (["heads", "net", "count"], 5),
        (["viewers", "hidden"], {"-1": {"video": [1]}}),
        (["viewers", "hidden"], {"99": {"video": [1]}}),
    ],
)
def test_a_spoilt_head_is_refused(state, path, value):
    spoilt(state, path, value)
    with pytest.raises(ValueError, match=r"\w"):
        checked(state, SIZES)


def test_no_array_names_a_row_outside_of_its_table(state):
    for name in (*ROWS_OF, "pending.surface", "seen.lengths"):
        for value in (-2, 1 << 20):
            arrays = {**state.arrays, name: np.array(state.arrays[name])}
            arrays[name].flat[0] = np.clip(value, *_range(arrays[name]))
            with pytest.raises(ValueError, match=r"\w"):
                checked(state._replace(arrays=arrays), SIZES)


def _range(array):
    return np.iinfo(array.dtype).min, np.iinfo(array.dtype).max


def test_no_array_holds_what_is_no_number(state):
    floats = [
        name for name, array in state.arrays.items() if array.dtype.kind == "f" and array.size
    ]
    assert len(floats) > 20
    for name in floats:
        for value in (np.nan, np.inf):
            arrays = {**state.arrays, name: np.array(state.arrays[name])}
            arrays[name].flat[-1] = value
            with pytest.raises(ValueError, match=r"\w"):
                checked(state._replace(arrays=arrays), SIZES)


def test_no_array_is_missing_or_more_or_of_another_form(state):
    for name, array in state.arrays.items():
        missing = {other: state.arrays[other] for other in state.arrays if other != name}
        wide = array.astype(np.float32 if array.dtype == np.float64 else np.float64)
        forms = [missing, {**state.arrays, name: wide}, {**state.arrays, name: array[..., None]}]
        if array.ndim and len(array) > 1:
            forms.append({**state.arrays, name: array[:1]})
        for arrays in forms:
            with pytest.raises(ValueError, match=r"\w"):
                checked(state._replace(arrays=arrays), SIZES)
    with pytest.raises(ValueError, match="form"):
        checked(state._replace(arrays={**state.arrays, "more": np.zeros(3)}), SIZES)


def test_an_id_has_one_row(state):
    for table in TABLES:
        ids = state.arrays[f"{table}.ids"]
        if (ids != 0).sum() > 1:
            rows = np.flatnonzero(ids)[:2]
            arrays = {**state.arrays, f"{table}.ids": np.array(ids)}
            arrays[f"{table}.ids"][rows[1]] = ids[rows[0]]
            with pytest.raises(ValueError, match=r"\w"):
                checked(state._replace(arrays=arrays), SIZES)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bytes_changed_anywhere_are_refused_or_a_ranker_that_runs(state):
    chosen, taken = random.Random(1), 0
    names = [name for name, array in state.arrays.items() if array.size]
    for _ in range(150):
        name = chosen.choice(names)
        array = np.ascontiguousarray(state.arrays[name]).copy()
        raw = array.reshape(-1).view(np.uint8)
        raw[chosen.randrange(len(raw))] ^= 1 << chosen.randrange(8)
        try:
            ranker = checked(state._replace(arrays={**state.arrays, name: array}), SIZES)
        except ValueError:
            continue
        taken += 1
        at_ms = 1_750_000_000_000 + 9_000_000
        for viewer in (7002, 7005, 1):
            picks = ranker.recommend(Ask(viewer, at_ms, 5))
            told = [Signal(viewer, one.video_id, Kind.IMPRESSION, at_ms=at_ms) for one in picks]
            ranker.observe(told or [Signal(viewer, 30, Kind.LIKE, at_ms=at_ms)])
            ranker.known_of(viewer)
    assert taken
