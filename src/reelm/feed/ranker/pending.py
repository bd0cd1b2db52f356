"""Impressions whose outcome is not known yet: features and propensity as they were when shown."""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import NONE, Array, Ints
from reelm.feed.ranker.sizes import Sizes

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Pending:
    """A ring of the last impressions; one more takes the place of the oldest."""

    def __init__(self, sizes: Sizes, width: int, heads: int) -> None:
        size = sizes.pending
        # Half precision: these are inputs of the net, which remembers them so, too.
        self.features = np.zeros((size, width), np.float16)
        self.outcomes = np.zeros((size, heads), np.float32)
        self.learned = np.zeros(size, np.bool_)
        self.propensity = np.ones(size, np.float32)
        self.surface = np.zeros(size, np.int64)
        self.own = np.zeros(size, np.bool_)  # given out by this ranker
        self._viewer = np.full(size, NONE, np.int32)
        self._video = np.full(size, NONE, np.int32)
        self._slot_of: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def add(
        self, viewers: Ints, videos: Ints, surfaces: Longs, propensities: Floats, own: Mask
    ) -> Longs:
        """Return the slots of new impressions; their features are for the caller to set."""
        size = len(self.learned)
        slots = (self._count + np.arange(len(viewers))) % size
        self._count += len(viewers)
        self._let_go(slots[self._viewer[slots] != NONE])
        self._viewer[slots], self._video[slots] = viewers, videos
        self.surface[slots], self.propensity[slots], self.own[slots] = surfaces, propensities, own
        self.outcomes[slots], self.learned[slots] = 0, False
        self._slot_of.update(zip(_keys(viewers, videos), slots.tolist(), strict=True))
        return slots

    def find(self, viewers: Ints, videos: Ints) -> Longs:
        """Return the slot of each impression, or NONE."""
        slots = map(self._slot_of.get, _keys(viewers, videos), repeat(NONE))
        return np.fromiter(slots, np.int64, len(viewers))

    def of(self, viewer: int) -> list[int]:
        """Return the slots of a viewer."""
        slots = np.flatnonzero(self._viewer == viewer)
        there = self.find(self._viewer[slots], self._video[slots]) == slots
        current: list[int] = slots[there].tolist()
        return current

    def video(self, slot: int) -> int:
        """Return the row of the video in a slot."""
        return int(self._video[slot])

    def forget_viewers(self, rows: Ints) -> None:
        """Let go of all impressions of these viewers."""
        self._let_go_all(np.flatnonzero(np.isin(self._viewer, rows)))

    def forget_videos(self, rows: Ints) -> None:
        """Let go of all impressions of these videos."""
        self._let_go_all(np.flatnonzero(np.isin(self._video, rows)))

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays."""
        used = min(self._count, len(self.learned))
        return {"count": self._count}, {f"pending.{k}": a[:used] for k, a in self._all().items()}

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._count = int(header["count"])
        used = min(self._count, len(self.learned))
        for name, array in self._all().items():
            array[:used] = arrays[f"pending.{name}"]
        self._slot_of.clear()
        oldest = self._count % len(self.learned) if self._count > len(self.learned) else 0
        slots = np.array([*range(oldest, used), *range(oldest)], np.int64)
        slots = slots[self._viewer[slots] != NONE]
        keys = _keys(self._viewer[slots], self._video[slots])
        self._slot_of.update(zip(keys, slots.tolist(), strict=True))

    def _all(self) -> dict[str, Array]:
        return {
            "features": self.features,
            "outcomes": self.outcomes,
            "learned": self.learned,
            "propensity": self.propensity,
            "surface": self.surface,
            "own": self.own,
            "viewer": self._viewer,
            "video": self._video,
        }

    def _let_go(self, slots: Longs) -> None:
        keys = _keys(self._viewer[slots], self._video[slots])
        for key, slot in zip(keys, slots.tolist(), strict=True):
            if self._slot_of.get(key) == slot:
                del self._slot_of[key]

    def _let_go_all(self, slots: Longs) -> None:
        self._let_go(slots)
        self.features[slots] = self.outcomes[slots] = 0
        self._viewer[slots] = self._video[slots] = NONE


def _keys(viewers: Ints, videos: Ints) -> list[int]:
    """Return one number for each pair of rows."""
    keys: list[int] = ((viewers.astype(np.int64) << 32) + videos).tolist()
    return keys
