"""Watch times and durations in buckets: quantiles that are fair to short and to long videos."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import Array

Floats = npt.NDArray[np.float32]
DURATION_EDGES_MS = np.array([1, 7, 10, 14, 18, 25, 40, 60, 90, 130, 200, 300]) * 1000
BUCKETS = len(DURATION_EDGES_MS) + 1
# Longer watching says nothing more of taste (design of the benchmark log's protocol, too).
MOST_WATCHED_MS = 300_000
WATCH_EDGES_MS = np.concatenate([[1, 500], np.geomspace(800, MOST_WATCHED_MS, 62)])
# Counts are halved beyond this, so that the distribution follows what is uploaded and watched now.
MOST_COUNTED = 200_000.0


def bucket_of(duration_ms: Array) -> npt.NDArray[np.int64]:
    """Return the duration bucket of each video."""
    return np.searchsorted(DURATION_EDGES_MS, duration_ms, side="right")


class WatchTimes:
    """Histograms of watch times, of each duration bucket and of all."""

    def __init__(self) -> None:
        # One watch in each cell to begin with, so that a quantile is defined from the start.
        self._counts = np.ones((BUCKETS + 1, len(WATCH_EDGES_MS) + 1))
        self._middles = self._quantiles()

    def add(self, watched_ms: Array, duration_ms: Array) -> None:
        """Count watches."""
        cells = np.searchsorted(WATCH_EDGES_MS, watched_ms, side="right")
        np.add.at(self._counts, (bucket_of(duration_ms), cells), 1)
        np.add.at(self._counts[BUCKETS], cells, 1)
        if self._counts[BUCKETS].sum() > MOST_COUNTED:
            self._counts *= 0.5
        self._middles = self._quantiles()

    def quantile(self, watched_ms: Array) -> Floats:
        """Return the share of all watches that were shorter."""
        cells = np.searchsorted(WATCH_EDGES_MS, watched_ms, side="right")
        result: Floats = self._middles[BUCKETS][cells].astype(np.float32)
        return result

    def watched_ms(self, quantile: Array) -> Floats:
        """Return the watch time at quantiles of all watches, in ms."""
        ends = np.append(WATCH_EDGES_MS, MOST_WATCHED_MS)
        result: Floats = np.interp(quantile, self._middles[BUCKETS], ends).astype(np.float32)
        return result

    def quantile_of_its_length(self, watched_ms: Array, duration_ms: Array) -> Floats:
        """Return the share of watches of videos of about this length that were shorter."""
        cells = np.searchsorted(WATCH_EDGES_MS, watched_ms, side="right")
        result: Floats = self._middles[bucket_of(duration_ms), cells].astype(np.float32)
        return result

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays."""
        return {}, {"watch_times.counts": self._counts}

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:  # noqa: ARG002
        """Take over what `save` returned."""
        self._counts[...] = arrays["watch_times.counts"]
        self._middles = self._quantiles()

    def _quantiles(self) -> Array:
        upto = np.cumsum(self._counts, axis=1)
        middles: Array = (upto - 0.5 * self._counts) / upto[:, -1:]
        return middles
