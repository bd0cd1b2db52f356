"""A batch as columns and rounds: one viewer's signals are learned one after the other."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.feed.ranker.world import SIZES, START_MS, World, facts, topics

from reelm.feed.ranker.batch import columns_of, rounds
from reelm.feed.signals import Kind, Signal

KINDS = [Kind.IMPRESSION, Kind.WATCH, Kind.PAST_WATCH, Kind.LIKE, Kind.HIDE_HASHTAG]
BATCH = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 6), st.sampled_from(KINDS)).map(
        lambda act: Signal(*act, at_ms=START_MS, subject="cats")
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(BATCH)
def test_rounds_keep_each_viewers_order_with_one_watch_at_most_and_last(batch):
    model = World([facts(n) for n in range(1, 5)]).ranker._model
    told = columns_of(model, batch)
    told_rounds = list(rounds(told))

    learned = [place for one in told_rounds for place in one.place.tolist()]
    for viewer_id in range(1, 5):
        mine = [place for place in learned if batch[place].viewer_id == viewer_id]
        assert mine == sorted(mine)
    for one in told_rounds:
        watchers = one.viewer[np.isin(one.kind, [Kind.WATCH, Kind.PAST_WATCH])]
        assert len(set(watchers.tolist())) == len(watchers)
    assert sorted(learned) == [
        place
        for place, signal in enumerate(batch)
        if 1 <= signal.video_id <= 4 or signal.kind == Kind.HIDE_HASHTAG
    ]


def test_signals_that_name_nothing_known_bring_nobody_in():
    world = World(topics(2, 2))
    world.observe(Signal(7, 999, Kind.WATCH), Signal(8, 999, Kind.LIKE))

    assert world.ranker.viewers() == []


def test_a_batch_of_more_viewers_than_the_model_holds_is_learned_in_parts():
    world = World(topics(2, 4))
    viewers = 3 * SIZES.viewers
    world.observe(*(Signal(n, 1, Kind.WATCH, watched_ms=5000) for n in range(1, viewers + 1)))

    known = world.ranker.viewers()
    assert SIZES.viewers // 2 <= len(known) <= SIZES.viewers
    assert viewers in known


def test_a_reset_within_a_batch_forgets_what_came_before_it_only():
    world, other = World(topics(3, 4)), World(topics(3, 4))
    before = [Signal(7, 1, Kind.IMPRESSION), Signal(7, 1, Kind.WATCH, watched_ms=5000)]
    after = [Signal(7, 5, Kind.IMPRESSION), Signal(7, 5, Kind.WATCH, watched_ms=5000)]
    world.observe(*before, Signal(7, 0, Kind.RESET), *after)
    other.observe(*after)

    for one in (world, other):
        assert one.ranker.known_of(7)["seen"] == ["5"]
    assert world.ranker.known_of(7)["watched_lately"] == ["5"]
