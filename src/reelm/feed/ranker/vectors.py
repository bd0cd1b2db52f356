"""Two vectors for each video: as something that was watched, and as what comes after it.

Skip-gram with negative sampling (Mikolov and others, NIPS 2013) over what viewers watch, learned
online: the vectors of a viewer's recent videos, summed, are the viewer's interest, and its product
with a video's second vector is how well it fits. Noise is drawn from what was watched lately, so
what is popular alone gains nothing here. Steps are scaled by AdaGrad (Duchi and others, JMLR 12,
2011), one scale for each vector.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Videos
from reelm.feed.ranker.net import sigmoid
from reelm.feed.ranker.rows import NONE, Array, Ints

Floats = npt.NDArray[np.float32]
LENGTH = 32
RATE = 0.8
# Videos of noise for one step, drawn from so many watched last, and how much they count together.
NOISE, RECENT, NOISE_WEIGHT = 64, 4096, 5.0
# Below this the noise would be the few videos of the beginning.
LEAST_RECENT = 200
FIRST_SCALE = 0.1
_SALT = np.arange(1, LENGTH + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


class Vectors:
    """The vectors of all videos."""

    def __init__(self, videos: Videos, seed: int) -> None:
        self._videos = videos
        self._random = np.random.default_rng(seed)
        self.watched = videos.column("vector_watched", np.float32, LENGTH)
        self.next = videos.column("vector_next", np.float32, LENGTH)
        self._watched_scale = videos.column("scale_watched", np.float32)
        self._next_scale = videos.column("scale_next", np.float32)
        self._recent = np.zeros(RECENT, np.int32)
        self._count = 0
        videos.on_clear(self._unlink)

    def begin(self, rows: Ints) -> None:
        """Give new videos small vectors of their own, the same ones each time."""
        numbers = self._videos.ids[rows].astype(np.uint64)[:, None]
        mixed = (numbers ^ _SALT) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        even = (mixed >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
        self.watched[rows] = (even - np.float32(0.5)) / np.float32(np.sqrt(LENGTH))
        self._watched_scale[rows] = self._next_scale[rows] = FIRST_SCALE

    def interest(self, recent: Ints) -> Floats:
        """Return the interest of a viewer who watched these, shape (LENGTH,)."""
        scale = np.float32(np.sqrt(max(len(recent), 1)))
        result: Floats = self.watched[recent].sum(axis=0) / scale
        return result

    def fits(self, interest: Floats, rows: Ints) -> Floats:
        """Return how well videos fit an interest."""
        result: Floats = self.next[rows] @ interest
        return result

    def fit(self, recent: Ints, there: Array, rows: Ints) -> Floats:
        """Return how well each video fits the viewer who watched `recent`, shape (n, k)."""
        scale = np.sqrt(np.maximum(there.sum(axis=1), 1))
        products = np.einsum("nkd,nd->nk", self.watched[recent], self.next[rows])
        result: Floats = (products * there).sum(axis=1) / scale
        return result

    def noise(self, count: int) -> Ints:
        """Draw from what was watched lately; part of learning, never of reading."""
        known = min(self._count, RECENT)
        drawn = self._recent[self._random.integers(0, known, count)] if known else self._recent[:0]
        rows: Ints = drawn[drawn != NONE]
        return rows

    @property
    def watches(self) -> int:
        """How many watches there were so far."""
        return self._count

    @property
    def has_noise(self) -> bool:
        """Whether enough was watched to learn against."""
        return self._count >= LEAST_RECENT

    def learn(self, contexts: Ints, rows: Ints) -> None:
        """Take a step towards videos coming after what their viewers watched.

        Args:
            contexts: rows of what each viewer watched before, shape (n, k), NONE where fewer.
            rows: rows of what was watched then, shape (n,).
        """
        if not self.has_noise:
            return
        noise = self.noise(NOISE)
        there = contexts != NONE
        scale = 1 / np.sqrt(np.maximum(there.sum(axis=1), 1)).astype(np.float32)
        interest = np.einsum("nkd,nk->nd", self.watched[contexts], there.astype(np.float32))
        interest *= scale[:, None]
        nexts, noises = self.next[rows], self.next[noise]
        good = 1 - sigmoid((interest * nexts).sum(axis=1))
        bad = -sigmoid(interest @ noises.T) * np.float32(NOISE_WEIGHT / NOISE)
        slope = (good[:, None] * nexts + bad @ noises) * scale[:, None]
        which, where = np.nonzero(there)
        nexts_slope = np.concatenate([good[:, None] * interest, bad.T @ interest])
        _move(self.next, self._next_scale, np.concatenate([rows, noise]), nexts_slope)
        _move(self.watched, self._watched_scale, contexts[which, where], slope[which])

    def remember(self, rows: Ints) -> None:
        """Note what was watched, to draw noise from."""
        rows = rows[-RECENT:]
        self._recent[(self._count + np.arange(len(rows))) % RECENT] = rows
        self._count += len(rows)

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays beside the columns."""
        header = {"count": self._count, "random": self._random.bit_generator.state}
        return header, {"vectors.recent": self._recent}

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._count = int(header["count"])
        self._random.bit_generator.state = dict(header["random"])
        self._recent[...] = arrays["vectors.recent"]

    def _unlink(self, rows: Ints) -> None:
        self._recent[np.isin(self._recent, rows)] = NONE


def _move(vectors: Array, scales: Array, rows: Ints, slopes: Floats) -> None:
    """Take an AdaGrad step; a row that is named more than once takes the sum of its slopes."""
    unique, places = np.unique(rows, return_inverse=True)
    if len(unique) < len(rows):
        order = np.argsort(places, kind="stable")
        starts = np.searchsorted(places[order], np.arange(len(unique)))
        slopes = np.add.reduceat(slopes[order], starts, axis=0)
    else:
        slopes = slopes[np.argsort(places, kind="stable")]
    scales[unique] += (slopes * slopes).mean(axis=1)
    step = np.float32(RATE) / np.sqrt(scales[unique] * LENGTH)
    vectors[unique] += step[:, None] * slopes
