"""How much more than expected a viewer watches each hashtag and each creator, lately and now.

Each watch has a worth from 0 to 1: half for a long view, half for its watch time's quantile among
videos of about that length. What it is worth beyond the viewer's mean and the video's mean is
added to each of the video's hashtags and to its creator, in two sums that fade with the viewer's
watches: one follows the last few, one the last hundred. A leaning is the sum over the fading count
of watches, drawn towards nothing while there are few (shrinkage, as in item and user effects:
Koren, KDD 2009).

Rows are found by hashing with the viewer's key (effects.py says why) into a table of fixed size.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Catalogue
from reelm.feed.ranker.rows import NONE, Array, Ints
from reelm.feed.ranker.viewers import Viewers

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
BITS = 21
# What is left of the sums after one more watch of the viewer: half after three watches, and after
# fifty.
KEPT = np.array([0.8, 0.985], np.float32)
SPEEDS = len(KEPT)
_LOG2_KEPT = np.log2(KEPT)
# Leaning to topics and to the creator, now and lately, and the video's worth.
WIDTH = 5
# Watches that weigh as much as knowing nothing: of a topic, and for the means.
SHRINK, SHRINK_MEAN = 2.0, 3.0
# People swipe on for many reasons: a dislike counts less than a liking, so that a topic that was
# passed over comes back and taste can change.
DISLIKE = 0.2
# The means of a video and of a viewer reach back over so many watches.
MOST_COUNTED = 200.0


class Leanings:
    """The table of leanings, and the means of viewers and videos."""

    def __init__(self, catalogue: Catalogue, viewers: Viewers) -> None:
        self._catalogue, self._viewers = catalogue, viewers
        # Sum and count at each speed, and the viewer's watches when they were touched last.
        self._table = np.zeros((1 << BITS, 2 * SPEEDS + 1), np.float32)
        self._watches = viewers.column("watches", np.int32)
        self._viewer_mean = viewers.column("worth", np.float32)
        self._video_mean = catalogue.videos.column("worth", np.float32)
        self._video_count = catalogue.videos.column("worth_count", np.float32)

    def of(self, viewers: Ints, videos: Ints) -> Floats:
        """Return what speaks for each video, shape (n, 5).

        The leaning to its hashtags now and lately, to its creator now and lately, and its worth.
        """
        tags = self._catalogue.telling_tags(videos)
        creators = self._catalogue.videos.creator[videos]
        ids = np.empty((len(videos), tags.shape[1] + 1), np.int64)
        ids[:, :-1] = self._catalogue.tags.ids[tags]
        ids[:, -1] = self._catalogue.creators.ids[creators]
        leaning = self._read(viewers, ids)
        named = np.maximum((tags != NONE).sum(axis=1), 1)
        result = np.empty((len(videos), WIDTH), np.float32)
        result[:, :2] = np.einsum("nkt->nt", leaning[:, :-1]) / np.sqrt(named)[:, None]
        result[:, 2:4] = leaning[:, -1]
        result[:, 4] = self.worth_of(videos)
        return result

    def strongest_tag(self, viewer: int, videos: Ints) -> Ints:
        """Return the hashtag of each video towards which a viewer leans most, NONE without any."""
        tags = self._catalogue.telling_tags(videos)
        viewers = np.array([viewer], np.int32)
        leaning = self._read(viewers, self._catalogue.tags.ids[tags]).sum(axis=2)
        leaning[tags == NONE] = -np.inf
        result: Ints = tags[np.arange(len(videos)), leaning.argmax(axis=1)]
        return result

    def to(self, viewer: int, ids: Longs) -> Floats:
        """Return a viewer's leaning to hashtags or creators by their ids: both sums together."""
        viewers = np.array([viewer], np.int32)
        result: Floats = self._read(viewers, ids[:, None])[:, 0].sum(axis=1)
        return result

    def worth_of(self, videos: Ints) -> Floats:
        """Return the mean worth of videos beyond the viewers' means, drawn towards 0."""
        count = self._video_count[videos]
        result: Floats = (self._video_mean[videos] * count / (count + SHRINK_MEAN)).astype("f4")
        return result

    def learn(self, viewers: Ints, videos: Ints, worth: Floats) -> None:
        """Take in watches, each of another viewer.

        Args:
            viewers: rows, shape (n,).
            videos: rows, shape (n,).
            worth: of each watch, 0 to 1.
        """
        watches = self._watches[viewers] + 1
        mean = self._viewer_mean[viewers] / (1 + SHRINK_MEAN / watches)
        surprise = (worth - 0.5 - mean - self.worth_of(videos)).astype(np.float32)
        self._watches[viewers] = watches
        own = worth - 0.5 - self._viewer_mean[viewers]
        self._viewer_mean[viewers] += own / np.minimum(watches, MOST_COUNTED)
        np.add.at(self._video_count, videos, 1)
        count = np.minimum(self._video_count[videos], MOST_COUNTED)
        self._video_count[videos] = count
        np.add.at(self._video_mean, videos, (worth - 0.5 - mean - self._video_mean[videos]) / count)
        tags, creators = self._catalogue.videos.tags[videos], self._catalogue.videos.creator[videos]
        self._add(viewers, self._catalogue.tags.ids[tags], surprise)
        self._add(viewers, self._catalogue.creators.ids[creators][:, None], surprise)

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays: the rows in use only."""
        used = np.flatnonzero(self._table[:, -1]).astype(np.int32)
        return {}, {"leanings.rows": used, "leanings.table": self._table[used]}

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:  # noqa: ARG002
        """Take over what `save` returned."""
        self._table[np.flatnonzero(self._table[:, -1])] = 0
        self._table[arrays["leanings.rows"]] = arrays["leanings.table"]

    def _read(self, viewers: Ints, ids: Longs) -> Floats:
        """Return leanings to ids of shape (n, k), shape (n, k, 2); to nothing, 0, there is none."""
        total, count = self._faded(self._watches[viewers][:, None], self._rows(viewers, ids))
        leaning = total / (count + np.float32(SHRINK))
        leaning[ids == 0] = 0
        result: Floats = np.where(leaning < 0, np.float32(DISLIKE) * leaning, leaning)
        return result

    def _add(self, viewers: Ints, ids: Longs, surprise: Floats) -> None:
        there = ids != 0
        rows = self._rows(viewers, ids)[there]
        watches = np.broadcast_to(self._watches[viewers][:, None], ids.shape)[there]
        total, count = self._faded(watches, rows)
        surprises = np.broadcast_to(surprise[:, None], ids.shape)[there]
        self._table[rows, :SPEEDS] = total + surprises[:, None]
        self._table[rows, SPEEDS:-1] = count + 1
        self._table[rows, -1] = watches

    def _faded(self, watches: Ints, rows: Longs) -> tuple[Floats, Floats]:
        """Return what is left of sums and counts after so many watches of the viewers."""
        found = self._table[rows]
        age = np.maximum(watches - found[..., -1], 0).astype(np.float32)
        kept = np.exp2(age[..., None] * _LOG2_KEPT)
        return found[..., :SPEEDS] * kept, found[..., SPEEDS:-1] * kept

    def _rows(self, viewers: Ints, ids: Longs) -> Longs:
        """Return row numbers; the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
        mixed = self._viewers.key[viewers].astype(np.uint64)[:, None] ^ (
            ids.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
        )
        mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        rows: Longs = ((mixed ^ mixed >> np.uint64(31)) >> np.uint64(64 - BITS)).astype(np.int64)
        return rows
