"""Each measure against its definition, counted pair by pair."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelm.feed.evaluate import metrics

# Few different values, so that ties are frequent.
few = st.integers(0, 6)
pairs = st.lists(st.tuples(few, few), max_size=40)


def by_pairs(truth, scores):
    right, all_pairs = 0.0, 0
    for (one, score), (other, other_score) in combinations(zip(truth, scores, strict=True), 2):
        if one != other:
            all_pairs += 1
            right += 0.5 if score == other_score else (one < other) == (score < other_score)
    return right / all_pairs if all_pairs else None


@given(pairs)
def test_concordance_is_the_share_of_pairs_in_the_right_order(drawn):
    truth = np.array([pair[0] for pair in drawn])
    scores = np.array([pair[1] for pair in drawn], float) / 3
    assert metrics.concordance(truth, scores) == by_pairs(truth, scores)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=30))
def test_auc_and_log_loss_are_those_of_their_definitions(drawn):
    labels = np.array([label for label, _ in drawn], np.int8)
    said = np.array([probability for _, probability in drawn])
    assert metrics.auc(labels, said) == by_pairs(labels, said)
    if not drawn:
        assert metrics.log_loss(labels, said) is None
        return
    losses = []
    for label, probability in drawn:
        clipped = min(max(probability, metrics.CLIP), 1 - metrics.CLIP)
        losses.append(-math.log(clipped) if label else -math.log(1 - clipped))
    assert metrics.log_loss(labels, said) == pytest.approx(sum(losses) / len(losses), rel=1e-6)


@given(st.lists(st.integers(1, 40), max_size=30))
def test_recall_and_ndcg_are_those_of_their_definitions(ranks):
    drawn = np.array(ranks, np.int64)
    gains = [1 / math.log2(1 + rank) if rank <= 10 else 0 for rank in ranks]
    hits = [rank <= 20 for rank in ranks]
    if not ranks:
        assert metrics.recall(drawn) is metrics.ndcg(drawn) is None
        return
    assert metrics.recall(drawn) == pytest.approx(sum(hits) / len(hits))
    assert metrics.ndcg(drawn) == pytest.approx(sum(gains) / len(gains))


def test_play_time_beyond_the_cap_is_a_tie_and_left_out():
    play_ms = np.array([100, 300_000, 400_000])
    assert metrics.xauc(play_ms, np.array([1.0, 2.0, 0.0])) == 0.5
    assert metrics.xauc(play_ms, np.array([1.0, 3.0, 2.0])) == 1.0


def test_a_constant_score_is_right_half_of_the_time():
    assert metrics.xauc(np.arange(1000), np.zeros(1000)) == 0.5


def test_a_hundred_thousand_events_are_counted_exactly():
    truth = np.arange(100_000)
    assert metrics.concordance(truth, truth.astype(float)) == 1.0
    assert metrics.concordance(truth, -truth.astype(float)) == 0.0
