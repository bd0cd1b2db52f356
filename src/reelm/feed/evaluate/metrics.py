"""The measures of docs/evaluate.md, exact, from what was predicted and what came of it."""

from typing import Any

import numpy as np
import numpy.typing as npt

# Natural logarithm of a probability no nearer to 0 or 1 than this.
CLIP = 1e-7
RECALL_AT = 20
NDCG_AT = 10
# Play time beyond this counts as this, so that one video left running does not decide.
PLAY_CAP_MS = 300_000

Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]


def recall(ranks: Ranks, at: int = RECALL_AT) -> float | None:
    """Return the share of targets among the first `at`; None without targets."""
    return float((ranks <= at).mean()) if len(ranks) else None


def ndcg(ranks: Ranks, at: int = NDCG_AT) -> float | None:
    """Return the mean discounted gain of one target each (Järvelin, Kekäläinen, TOIS 2002).

    With one relevant video the ideal gain is 1, so NDCG is 1 / log2(1 + rank), or 0 beyond `at`.
    """
    if not len(ranks):
        return None
    return float(np.where(ranks <= at, 1 / np.log2(1 + ranks), 0).mean())


def log_loss(labels: Numbers, probabilities: Floats) -> float | None:
    """Return the mean negative log likelihood in nats; None without events."""
    if not len(labels):
        return None
    clipped = np.clip(probabilities, CLIP, 1 - CLIP)
    return float(-np.where(labels > 0, np.log(clipped), np.log1p(-clipped)).mean())


def auc(labels: Numbers, probabilities: Floats) -> float | None:
    """Return how often a long view had the higher probability than another view."""
    return concordance(labels, probabilities)


def xauc(play_time_ms: Numbers, scores: Floats) -> float | None:
    """Return the share of pairs that the watch-time score puts in the order of play time."""
    return concordance(np.minimum(play_time_ms, PLAY_CAP_MS), scores)


def concordance(truth: Numbers, scores: Floats) -> float | None:
    """Return the share of all pairs of different truth that the scores order alike.

    Pairs of equal score count half. Of two classes this is the area under the ROC curve. Counted
    by inversions as in Knight's method for Kendall's tau (JASA 61, 1966), O(n log n).

    Returns:
        None where there is no pair of different truth.
    """
    order = np.lexsort((scores, truth))
    truth, scores = truth[order], scores[order]
    pairs = _pairs(len(truth)) - _tied(truth)
    if not pairs:
        return None
    places = np.unique(scores, return_inverse=True)[1]
    tied_in_both = _tied(np.stack((truth, places), axis=1))
    tied = _tied(places) - tied_in_both
    # Within equal truth the scores ascend, so every inversion is a pair of different truth.
    discordant = _inversions(places)
    return (pairs - discordant - tied / 2) / pairs


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _tied(values: Numbers) -> int:
    counts = np.unique(values, axis=0, return_counts=True)[1]
    return sum(_pairs(count) for count in counts[counts > 1].tolist())


def _inversions(places: npt.NDArray[np.int64]) -> int:
    """Return how many pairs stand in falling order, bit by bit from the highest.

    Numbers with the same higher bits form a group, in their first order. Within it each 1 before
    a 0 is an inversion.
    """
    total = 0
    for bit in reversed(range(int(places.max(initial=0)).bit_length())):
        is_one = (places >> bit) & 1
        ones_before = np.cumsum(is_one) - is_one
        group = places >> (bit + 1)
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        sizes = np.diff(starts, append=len(group))
        within = ones_before - np.repeat(ones_before[starts], sizes)
        total += int(within[is_one == 0].sum())
        places = places[np.argsort(places >> bit, kind="stable")]
    return total
