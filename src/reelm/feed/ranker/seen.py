"""What each viewer was shown, so that nothing comes twice before all else has come once."""

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Videos
from reelm.feed.ranker.rows import Array, Ints

# One entry: the video's row in the low bits, above them how often the row had changed hands.
ROW_BITS = 21
_ROW = (1 << ROW_BITS) - 1
_HANDS = (1 << (32 - ROW_BITS)) - 1
MOST_VIDEOS = 1 << ROW_BITS
# Entries are looked through at each doubling from here on, and the oldest are let go of beyond the
# most: who has seen so many meets them again as if they were new.
COMPACT_FROM, MOST_SEEN = 1 << 10, 1 << 17


class Seen:
    """Rows of videos by row of viewer, in the order in which they were shown last.

    Four bytes a video; a hash set would take twenty times that.
    """

    def __init__(self, videos: Videos) -> None:
        if videos.capacity > MOST_VIDEOS:
            raise ValueError(f"At most {MOST_VIDEOS:,} videos fit the model.")
        self._videos = videos
        self._of: dict[int, array[int]] = {}
        self._mark = np.zeros(videos.capacity, np.uint32)
        self._stamp = 0

    def add(self, viewers: Ints, rows: Ints) -> None:
        """Note that viewers were shown videos."""
        entries = rows.astype(np.int64) | (self._videos.hands[rows] & _HANDS) << ROW_BITS
        for viewer, entry in zip(viewers.tolist(), entries.tolist(), strict=True):
            found = self._of.get(viewer)
            if found is None:
                self._of[viewer] = array("I", (entry,))
                continue
            found.append(entry)
            count = len(found)
            if count >= COMPACT_FROM and count & (count - 1) == 0:
                self._of[viewer] = self._compacted(found)

    def among(self, viewer: int, rows: Ints) -> npt.NDArray[np.bool_]:
        """Return which of the rows the viewer was shown."""
        found = self._of.get(viewer)
        if not found:
            return np.zeros(len(rows), np.bool_)
        self._stamp += 1
        self._mark[self._current(found)] = self._stamp
        marked: npt.NDArray[np.bool_] = self._mark[rows] == self._stamp
        return marked

    def oldest(self, viewer: int) -> Ints:
        """Return what the viewer was shown, that longest ago first, each video once."""
        found = self._of.get(viewer)
        if not found:
            return np.empty(0, np.int32)
        rows = self._current(found)[::-1]
        _, last = np.unique(rows, return_index=True)
        return rows[np.sort(last)][::-1].astype(np.int32)

    def latest(self, viewer: int, count: int) -> Ints:
        """Return what the viewer was shown last, oldest first."""
        found = self._of.get(viewer)
        if not found:
            return np.empty(0, np.int32)
        return self._current(found[-count:]).astype(np.int32)

    def forget(self, viewer: int) -> None:
        """Forget what a viewer was shown."""
        self._of.pop(viewer, None)

    def save(self) -> dict[str, Array]:
        """Return all as arrays."""
        viewers = sorted(self._of)
        lists = [np.array(self._of[viewer], np.uint32) for viewer in viewers]
        return {
            "seen.viewers": np.array(viewers, np.int32),
            "seen.lengths": np.array([len(one) for one in lists], np.int32),
            "seen.entries": np.concatenate(lists) if lists else np.empty(0, np.uint32),
        }

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._of.clear()
        entries, start = arrays["seen.entries"], 0
        pairs: Any = zip(arrays["seen.viewers"], arrays["seen.lengths"], strict=True)
        for viewer, length in pairs:
            self._of[int(viewer)] = array("I", entries[start : start + int(length)].tolist())
            start += int(length)

    def _compacted(self, entries: "array[int]") -> "array[int]":
        """Return entries without videos that are gone or were shown again since."""
        packed = np.array(entries, np.uint32)[::-1]
        there = packed[np.isin(packed & np.uint32(_ROW), self._current(entries))]
        _, last = np.unique(there, return_index=True)
        kept = there[np.sort(last)][:MOST_SEEN][::-1]
        return array("I", kept.tolist())

    def _current(self, entries: "array[int]") -> npt.NDArray[np.uint32]:
        """Return the rows of entries whose video is still there."""
        packed = np.array(entries, np.uint32)
        rows = packed & np.uint32(_ROW)
        hands = self._videos.hands[rows].astype(np.uint32) & np.uint32(_HANDS)
        current: npt.NDArray[np.uint32] = rows[packed >> np.uint32(ROW_BITS) == hands]
        return current
