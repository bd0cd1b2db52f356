"""Impressions whose outcome is not known yet: features and propensity as they were when shown."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import NONE, Array, Ints
from reelm.feed.ranker.sizes import Sizes

Floats = npt.NDArray[np.float32]


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
        self._slot_of: dict[tuple[int, int], int] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def add(self, viewer: int, video: int, surface: int, propensity: float, *, own: bool) -> int:
        """Return the slot of a new impression; its features are for the caller to set."""
        slot = self._count % len(self.learned)
        self._count += 1
        self._let_go(slot)
        self._slot_of.pop((viewer, video), None)
        self._slot_of[viewer, video] = slot
        self._viewer[slot], self._video[slot] = viewer, video
        self.surface[slot], self.propensity[slot], self.own[slot] = surface, propensity, own
        self.outcomes[slot], self.learned[slot] = 0, False
        return slot

    def find(self, viewer: int, video: int) -> int:
        """Return the slot of an impression, or NONE."""
        return self._slot_of.get((viewer, video), NONE)

    def of(self, viewer: int) -> list[int]:
        """Return the slots of a viewer."""
        slots = np.flatnonzero(self._viewer == viewer).tolist()
        return [s for s in slots if self._slot_of.get((viewer, int(self._video[s]))) == s]

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
        for slot in [*range(oldest, used), *range(oldest)]:
            if self._viewer[slot] != NONE:
                self._slot_of[int(self._viewer[slot]), int(self._video[slot])] = slot

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

    def _let_go(self, slot: int) -> None:
        key = int(self._viewer[slot]), int(self._video[slot])
        if self._slot_of.get(key) == slot:
            del self._slot_of[key]

    def _let_go_all(self, slots: Array) -> None:
        for slot in slots.tolist():
            self._let_go(slot)
        self.features[slots] = self.outcomes[slots] = 0
        self._viewer[slots] = self._video[slots] = NONE
