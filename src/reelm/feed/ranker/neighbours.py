"""Videos that are watched beside each other, in a short list for each video.

A list keeps the heaviest neighbours with counts in the way of Misra and Gries (Science of Computer
Programming 2, 1982): one that is not in it wears the lightest entry down and takes its place once
that is worn out. So lists have a fixed size whatever comes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Videos
from reelm.feed.ranker.rows import NONE, Array, Ints, Table
from reelm.feed.ranker.sizes import Sizes

Floats = npt.NDArray[np.float32]
# Neighbours of one video.
LENGTH = 24
# What a newcomer takes off the lightest entry.
WEAR = np.float32(0.1)
# Lift counts for so much at the most: beyond, it is chance among videos that hardly anybody saw.
MOST_LIFT = 30.0
# A video has a list from its second watch on.
ADMIT_AFTER = 2


class Neighbours:
    """Lists of neighbours, by video."""

    def __init__(self, sizes: Sizes, videos: Videos) -> None:
        self._videos = videos
        self.table = Table("neighbours", sizes.neighbours, admit_after=ADMIT_AFTER)
        self.beside = self.table.column("beside", np.int32, LENGTH, fill=NONE)
        self.counts = self.table.column("count", np.float32, LENGTH)
        self.list_of = videos.column("neighbours", np.int32, fill=NONE)
        self._watches = videos.column("watched_by", np.float32)
        self._all_watches = self._all_pairs = 0.0
        self._weight = np.zeros(sizes.videos, np.float32)
        videos.on_clear(self._unlink)
        self.table.on_clear(self._unlist)

    def add(self, rows: Ints, contexts: Ints, at_ms: int) -> None:
        """Count videos as watched beside those of their viewers' contexts, both ways.

        Args:
            rows: rows of videos just watched, shape (n,).
            contexts: rows of what their viewers watched before, shape (n, k), NONE where fewer.
            at_ms: when.
        """
        which, where = np.nonzero(contexts != NONE)
        these, those = rows[which], contexts[which, where]
        self._all_pairs += 2 * len(these)
        lists = self.list_of[rows]
        self.table.used_ms[lists[lists != NONE]] = at_ms
        for row in np.unique(rows[lists == NONE]).tolist():
            self._admit(row, at_ms)
        self._count(np.concatenate([these, those]), np.concatenate([those, these]))

    def count(self, rows: Ints) -> None:
        """Count watches of videos."""
        np.add.at(self._watches, rows, 1)
        self._all_watches += len(rows)

    def lifts(self, rows: Ints) -> tuple[Ints, Floats]:
        """Return videos watched beside these more than by chance, strongest first, and how much.

        The lift of a pair is how often the two were watched beside each other against how often
        that would happen by chance; summed over `rows`, each with 1 taken off.
        """
        lists = self.list_of[rows]
        lists = lists[lists != NONE]
        beside, count = self.beside[lists], self.counts[lists]
        there = beside != NONE
        own = np.broadcast_to(self._watches[rows[self.list_of[rows] != NONE]][:, None], there.shape)
        others, counts = beside[there], count[there]
        chance = np.float32(self._all_pairs / max(self._all_watches, 1.0) ** 2)
        expected = own[there] * self._watches[others] * chance
        lift = np.minimum((counts + 1) / (expected + 1), MOST_LIFT) - 1
        unique, places = np.unique(others, return_inverse=True)
        total = np.bincount(places, lift, len(unique)).astype(np.float32)
        order = np.argsort(-total, kind="stable")
        return unique[order].astype(np.int32), total[order]

    def lift_of(self, rows: Ints, found: tuple[Ints, Floats]) -> Floats:
        """Return what `lifts` found of some rows, 0 where nothing."""
        others, lift = found
        self._weight[others] = lift
        result: Floats = self._weight[rows]
        self._weight[others] = 0
        return result

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays beside the columns."""
        return {"watches": self._all_watches, "pairs": self._all_pairs}, {}

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:  # noqa: ARG002
        """Take over what `save` returned."""
        self._all_watches = float(header["watches"])
        self._all_pairs = float(header["pairs"])

    def _admit(self, row: int, at_ms: int) -> None:
        entry = self.table.admit(int(self._videos.ids[row]), at_ms)
        if entry != NONE:
            self.list_of[row] = entry

    def _count(self, rows: Ints, others: Ints) -> None:
        lists = self.list_of[rows]
        listed = lists != NONE
        lists, others = lists[listed], others[listed]
        hit = self.beside[lists] == others[:, None]
        known = hit.any(axis=1)
        np.add.at(self.counts, (lists[known], hit[known].argmax(axis=1)), np.float32(1))
        lists, others = lists[~known], others[~known]
        place = self.counts[lists].argmin(axis=1)
        left = self.counts[lists, place]
        worn = left < 1
        self.counts[lists, place] = np.where(worn, np.float32(1), left - WEAR)
        self.beside[lists[worn], place[worn]] = others[worn]

    def _unlink(self, rows: Ints) -> None:
        """Let no list name videos whose rows will be of others, and free their own lists."""
        self.table.drop(self._videos.ids[rows].tolist())
        used = self.beside[: self.table.top]
        gone = np.isin(used, rows)
        used[gone] = NONE
        self.counts[: self.table.top][gone] = 0

    def _unlist(self, lists: Ints) -> None:
        used: Array = self.list_of[: self._videos.top]
        used[np.isin(used, lists)] = NONE
