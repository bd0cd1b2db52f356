"""All that the ranker knows: tables, counts, vectors, heads, and what awaits its outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from reelm.feed.ranker.catalogue import Catalogue
from reelm.feed.ranker.heads import HEADS, Heads
from reelm.feed.ranker.leanings import Leanings
from reelm.feed.ranker.neighbours import Neighbours
from reelm.feed.ranker.pending import Pending
from reelm.feed.ranker.popularity import Popularity
from reelm.feed.ranker.relevance import Relevance
from reelm.feed.ranker.rows import NONE, Array, Ints, Table
from reelm.feed.ranker.seen import Seen
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.ranker.values import State
from reelm.feed.ranker.vectors import Vectors
from reelm.feed.ranker.viewers import Viewers

# Of the form of the state: one that says another number is not loaded, but learned anew from the
# log.
VERSION = 2
_WORD = (1 << 64) - 1
Part = Popularity | Neighbours | Vectors | Leanings | Relevance | Heads | Pending


class Model:
    """The parts of the model and how they hang together."""

    def __init__(self, sizes: Sizes, seed: int) -> None:
        self.sizes = sizes
        self.catalogue = Catalogue(sizes)
        videos = self.catalogue.videos
        self.viewers = Viewers(sizes, videos)
        self.seen = Seen(videos)
        self.popularity = Popularity(videos)
        self.neighbours = Neighbours(sizes, videos)
        self.vectors = Vectors(videos, seed)
        self.leanings = Leanings(self.catalogue, self.viewers)
        self.relevance = Relevance(
            self.catalogue,
            self.viewers,
            self.popularity,
            self.neighbours,
            self.vectors,
            self.leanings,
            seed,
        )
        self.heads = Heads(self.catalogue, self.viewers, self.vectors, self.leanings, seed)
        self.pending = Pending(sizes, self.heads.width, len(HEADS))
        self._admitted = 0
        videos.on_clear(self.pending.forget_videos)
        self.viewers.on_clear(self._forget_viewers)

    def viewers_of(self, viewer_ids: Sequence[int], at_ms: int) -> Ints:
        """Return the row of each viewer, made now for new ones."""
        rows = self.viewers.find_all(viewer_ids)
        self.viewers.used_ms[rows[rows != NONE]] = at_ms
        new = dict.fromkeys(viewer_ids[place] for place in np.flatnonzero(rows == NONE).tolist())
        for viewer_id in new:
            self._admitted += 1
            # Another number each time: who was forgotten and comes back is somebody new.
            mixed = (viewer_id * 0x9E3779B97F4A7C15 ^ self._admitted * 0xBF58476D1CE4E5B9) & _WORD
            self.viewers.key[self.viewers.admit(viewer_id, at_ms)] = mixed >> 1 or 1
        # Looked up again: a full table may have let go of one to make room for another.
        return self.viewers.find_all(viewer_ids) if new else rows

    def state(self) -> State:
        """Return the whole state, sharing memory with the model."""
        arrays: dict[str, Array] = {}
        header: dict[str, Any] = {
            "version": VERSION,
            "sizes": asdict(self.sizes),
            "admitted": self._admitted,
        }
        parts: dict[str, Table | Part] = {
            **{table.name: table for table in self._tables()},
            **self._others(),
        }
        for name, part in parts.items():
            header[name], more = part.save()
            arrays |= more
        return State(header, arrays | self.seen.save())

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over a state of a model of the same sizes.

        Raises:
            ValueError: it is of another version or form.
        """
        if header.get("version") != VERSION or header.get("sizes") != asdict(self.sizes):
            raise ValueError("The state is of another version or of other sizes.")
        try:
            self._admitted = int(header["admitted"])
            for table in self._tables():
                table.load(header[table.name], arrays)
            for name, part in self._others().items():
                part.load(header[name], arrays)
            self.seen.load(arrays)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"The state is not whole: {error}.") from error
        self.catalogue.relist()

    def _tables(self) -> tuple[Table, ...]:
        return (*self.catalogue.tables(), self.viewers, self.neighbours.table)

    def _others(self) -> dict[str, Part]:
        return {
            "popularity": self.popularity,
            "beside": self.neighbours,
            "vectors": self.vectors,
            "leanings": self.leanings,
            "relevance": self.relevance,
            "heads": self.heads,
            "pending": self.pending,
        }

    def _forget_viewers(self, rows: Ints) -> None:
        self.pending.forget_viewers(rows)
        for row in rows.tolist():
            self.seen.forget(row)
