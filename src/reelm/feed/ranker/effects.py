"""What each thing adds to the odds: the viewer, the video, the creator, the viewer with a topic ...

An additive logistic model. Each impression touches one row of every kind below; a row holds a
weight (log-odds) and the precision gathered so far for each target. Learning is one step of a
diagonal Kalman filter (extended, for the logistic link) for each event: a row seen often moves
little, a new one moves a lot, so the next request sees this event's whole worth.

Rows are found by hashing into a table that grows with the watches, up to a fixed size. What belongs
to one viewer is hashed with the viewer's key, a number that is forgotten when the viewer is: the
rows left behind then lead to nobody.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.net import sigmoid
from reelm.feed.ranker.rows import Array
from reelm.feed.signals import SURFACES

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]


class Kind(NamedTuple):
    """One kind of row, and the variance that its weights have before anything is known."""

    name: str
    variance: float


KINDS = (
    Kind("surface_duration", 0.3),
    Kind("surface", 1.0),
    Kind("viewer", 0.6),
    Kind("video", 0.3),
    Kind("creator", 0.15),
    Kind("topic", 0.05),
    Kind("viewer_surface", 0.2),
    Kind("video_surface", 0.1),
    Kind("viewer_topic", 0.1),
    Kind("viewer_duration", 0.1),
    Kind("surface_hour", 0.03),
    Kind("viewer_creator", 0.1),
    Kind("surface_topic", 0.05),
    Kind("viewer_video", 0.4),
    Kind("duration", 0.1),
)
NUMBER = {kind.name: number for number, kind in enumerate(KINDS)}
# Long view, watch quantile, quick skip, like; and their log-odds before anything is known.
TARGETS = 4
PRIOR = np.log(np.array([0.35 / 0.65, 1.0, 0.3 / 0.7, 0.02 / 0.98])).astype(np.float32)
PRIOR_PRECISION = np.array([1 / kind.variance for kind in KINDS], np.float32)
# Keeps every row able to move: taste and fashion change.
MOST_PRECISION = np.float32(400)
# The table has this many rows for each watch so far, between these powers of two: 2 to 268 MB. A
# quarter as many at the most cost 0.0006 of AUC on the benchmark's log (docs/evaluate.md).
ROWS_A_WATCH = 64
LEAST_BITS, MOST_BITS = 16, 23

EVERY_TARGET = np.ones(TARGETS, np.float32)
EVERY_KIND = np.ones(len(KINDS), np.float32)
# Where a watch happened of which that is not known: a place of its own, so that how often such
# watches are long is not taken for the viewers' and the videos' own worth.
UNTOLD = SURFACES
# What such a watch says nothing of.
PLACELESS = np.array(
    [
        kind.name not in {"viewer_surface", "video_surface", "surface_hour", "surface_topic"}
        for kind in KINDS
    ],
    np.float32,
)

_SALT = np.arange(1, len(KINDS) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


class Things(NamedTuple):
    """What impressions are about, as numbers: arrays of shape (n,), or (1,) where all agree."""

    viewer_key: Longs
    video_id: Longs
    creator_id: Longs
    topic_id: Longs
    duration_bucket: Longs
    surface: Longs
    hour: int


class Effects:
    """The table of rows."""

    def __init__(self) -> None:
        self._bits, self._watches = LEAST_BITS, 0
        # Weight and precision of a row lie side by side: it is read from memory once.
        self._table = np.zeros((1 << LEAST_BITS, 2, TARGETS), np.float32)

    def make_room(self, watches: int) -> None:
        """Take in that so many more watches will be learned; numbers of rows may change.

        A table of twice the size has two rows for each, and both go on from what that one held.
        """
        self._watches += watches
        while self._bits < MOST_BITS and self._watches * ROWS_A_WATCH > len(self._table):
            self._table = np.repeat(self._table, 2, axis=0)
            self._bits += 1

    def rows(self, things: Things) -> Longs:
        """Return the rows that impressions touch, shape (n, kinds)."""
        viewer, surface = things.viewer_key, things.surface
        pairs: dict[str, tuple[Longs, Longs | int]] = {
            "surface_duration": (surface, things.duration_bucket),
            "surface": (surface, 0),
            "viewer": (viewer, 0),
            "video": (things.video_id, 0),
            "creator": (things.creator_id, 0),
            "topic": (things.topic_id, 0),
            "viewer_surface": (viewer, surface),
            "video_surface": (things.video_id, surface),
            "viewer_topic": (viewer, things.topic_id),
            "viewer_duration": (viewer, things.duration_bucket),
            "surface_hour": (surface, things.hour),
            "viewer_creator": (viewer, things.creator_id),
            "surface_topic": (surface, things.topic_id),
            "viewer_video": (viewer, things.video_id),
            "duration": (things.duration_bucket, 0),
        }
        first = np.empty((len(things.video_id), len(KINDS)), np.int64)
        second = np.empty_like(first)
        for name, (one, other) in pairs.items():
            first[:, NUMBER[name]], second[:, NUMBER[name]] = one, other
        return _hashed(first.view(np.uint64), second.view(np.uint64), self._bits)

    def of(self, rows: Longs) -> tuple[Floats, Floats]:
        """Return weights and precisions in rows, each with a last axis of targets."""
        found = self._table[rows]
        return found[..., 0, :], found[..., 1, :]

    def learn(
        self,
        rows: Longs,
        targets: Floats,
        known: Floats = EVERY_TARGET,
        kinds: Floats = EVERY_KIND,
    ) -> Floats:
        """Take one step for each event, and return how far each target was from expectation.

        Args:
            rows: as `rows` returns them, shape (n, kinds).
            targets: probabilities that came true, shape (n, targets).
            known: 1 for each target that is known of these events, else 0.
            kinds: 1 for each kind of row that these events say something of, else 0.
        """
        unique, place = np.unique(rows, return_inverse=True)
        before = self._table[unique]
        expected = sigmoid(summed_kinds(before[place, 0], kinds) + PRIOR)
        information = expected * (1 - expected) * known
        gathered = _summed(information[:, None, :] * kinds[:, None], place, len(unique))
        after = np.minimum(before[:, 1] + gathered, MOST_PRECISION)
        variance = kinds[:, None] / (after[place] + PRIOR_PRECISION[:, None])
        surprise: Floats = (targets - expected) * known
        # What all events of the batch say of a row together, so that they do not overshoot.
        gain = surprise / (1 + np.einsum("nkt,nkt->nt", gathered[place], variance))
        before[:, 0] += _summed(variance * gain[:, None, :], place, len(unique))
        before[:, 1] = after
        self._table[unique] = before
        return surprise

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays: the rows in use only."""
        used = np.flatnonzero(self._table[:, 1].any(axis=1)).astype(np.int32)
        header = {"bits": self._bits, "watches": self._watches}
        return header, {"effects.rows": used, "effects.table": self._table[used]}

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._bits, self._watches = int(header["bits"]), int(header["watches"])
        if not LEAST_BITS <= self._bits <= MOST_BITS:
            raise ValueError(f"A table of 2^{self._bits} effects is not of this model's form.")
        self._table = np.zeros((1 << self._bits, 2, TARGETS), np.float32)
        self._table[arrays["effects.rows"]] = arrays["effects.table"]


def summed_kinds(values: Floats, weights: Floats = EVERY_KIND) -> Floats:
    """Return values of shape (n, kinds, targets) summed over kinds, each with its weight."""
    # Several times as fast as a sum over the middle axis.
    result: Floats = np.einsum("nkt,k->nt", values, weights)
    return result


def _summed(values: Floats, place: Longs, count: int) -> Floats:
    """Return the sums of values that share a place, shape (count, targets)."""
    result = np.empty((count, TARGETS), np.float32)
    if count == place.size:
        result[place] = values
    else:
        for target in range(TARGETS):
            each = values[..., target].ravel()
            result[:, target] = np.bincount(place.ravel(), each, count)
    return result


def _hashed(first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64], bits: int) -> Longs:
    """Return row numbers; the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = _SALT ^ (first * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed ^= (second + np.uint64(1)) * np.uint64(0x165667B19E3779F9)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    rows: Longs = (mixed >> np.uint64(64 - bits)).astype(np.int64)
    return rows
