"""Put ranked candidates in an order that varies, with places kept for what is new.

Greedy, one place after the other: the candidate with the highest score once what is near it on
the page is taken off (maximal marginal relevance: Carbonell, Goldstein, SIGIR 1998, with shared
creator, sound and hashtags as likeness). Every so many places one is kept for a video on trial,
some of these for new creators.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import NONE, Ints
from reelm.feed.weights import NEW_CREATOR_SHARE, trial_share

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A creator is not met again within this many videos, a sound within a few less (many videos may
# share one). So far apart a page of ten has at least three creators.
CREATOR_GAP, SOUND_GAP, TAG_WINDOW = 4, 3, 10
# What nearness takes off a score whose spread over the candidates is scaled to 1. Creators and
# sounds too near come only where nothing else is left.
CREATOR_NEAR, SOUND_NEAR = 100.0, 50.0
# For each video of the same hashtag among the last ten, at the middle of the slider for variety.
TAG_NEAR = 0.4
# Scores are log-odds: where all are alike within this, the page is spaced as if they were not.
LEAST_SPREAD = 1.0
# What is as good as equal comes in the order of a lot, or everybody would meet the same ones.
LOT = 0.15
# Of the videos on trial a few are drawn by lot, and the best of these for this viewer is taken: so
# each gets its share of viewers, and rather those who may like it.
DRAWN = 2


@dataclass
class Row:
    """The candidates of one request; all arrays have the same length.

    Args:
        rows: rows of the videos.
        score: by which they are ranked.
        promise: the score without what comes of being known already; by this those on trial are.
        source: number of the source that each came from.
        creators: rows of the creators.
        sounds: rows of the sounds, NONE where there is none.
        tags: rows of the hashtags, shape (n, k), NONE where there are fewer.
        trial: which are on trial.
        new_creator: which are by a new creator.
    """

    rows: Ints
    score: Floats
    promise: Floats
    source: npt.NDArray[np.int8]
    creators: Ints
    sounds: Ints
    tags: Ints
    trial: Mask
    new_creator: Mask


def rerank(
    row: Row,
    before: Row | None,
    limit: int,
    *,
    first: int = NONE,
    variety: float,
    newness: float,
    draw: np.random.Generator,
) -> tuple[list[int], list[float]]:
    """Choose up to `limit` candidates.

    Args:
        row: the candidates.
        before: what the viewer was shown last, oldest first.
        limit: how many to choose.
        first: place in `row` of what comes first in any case, or NONE.
        variety: the viewer's slider, 0 to 1.
        newness: the viewer's slider, 0 to 1.
        draw: chance; no part of the model's state.

    Returns:
        Places in `row`, in the order of the page, and the propensity of each: how likely it was to
        be given this place.
    """
    near = _Near(row, before, variety)
    spread = float(row.score.std()) if len(row.score) else 1.0
    lots = draw.random(len(row.rows))
    score = (row.score / max(spread, LEAST_SPREAD) + LOT * lots).astype(np.float32)
    taken = np.zeros(len(row.rows), np.bool_)
    share = trial_share(newness)
    chosen, propensity = list[int](), list[float]()
    while len(chosen) < min(limit, len(row.rows)):
        place, likely = NONE, 1.0 - share
        wanted = row.trial & ~taken
        if first != NONE and not chosen:
            place, likely = first, 1.0
        elif draw.random() < share and wanted.any():
            place, likely = _on_trial(row, wanted, share, draw)
        if place == NONE:
            worth = score - near.penalty()
            worth[taken] = -np.inf
            place = int(np.argmax(worth))
            if not wanted.any():
                likely = 1.0
        taken[place] = True
        near.add(row, place)
        chosen.append(place)
        propensity.append(likely)
    return chosen, propensity


def _on_trial(
    row: Row,
    wanted: Mask,
    share: float,
    draw: np.random.Generator,
) -> tuple[int, float]:
    by_new = wanted & row.new_creator
    if by_new.any() and draw.random() < NEW_CREATOR_SHARE:
        wanted = by_new
    pool = np.flatnonzero(wanted)
    drawn = pool[draw.integers(0, len(pool), min(DRAWN, len(pool)))].tolist()
    best = max(drawn, key=lambda place: (float(row.promise[place]), -place))
    return best, share / len(pool)


class _Near:
    """What is near the last videos of the page, kept up to date as the page grows."""

    def __init__(self, row: Row, before: Row | None, variety: float) -> None:
        self._row = row
        self._weight = np.float32(TAG_NEAR * 2 * variety)
        self._columns = np.ascontiguousarray(row.tags.T)
        most = max(int(one.tags.max(initial=0)) for one in (row, before) if one is not None)
        self._marked = np.zeros(most + 2, np.bool_)  # the last one is read for NONE
        self._same_tag = np.zeros(len(row.rows), np.float32)
        self._by_tag = deque[Mask]()
        self._by_creator = deque[Mask](maxlen=CREATOR_GAP)
        self._by_sound = deque[Mask](maxlen=SOUND_GAP)
        if before is not None:
            for place in range(len(before.rows)):
                self.add(before, place)

    def add(self, page: Row, place: int) -> None:
        """Note that this video is the last one now."""
        sound = page.sounds[place]
        self._by_creator.append(self._row.creators == page.creators[place])
        self._by_sound.append((self._row.sounds == sound) & (sound != NONE))
        tags = page.tags[place]
        self._marked[tags] = True
        self._marked[NONE] = False
        hit: Mask = np.logical_or.reduce(self._marked[self._columns], axis=0)
        self._marked[tags] = False
        self._by_tag.append(hit)
        self._same_tag += hit
        if len(self._by_tag) > TAG_WINDOW:
            self._same_tag -= self._by_tag.popleft()

    def penalty(self) -> Floats:
        """Return what nearness takes off each score."""
        penalty = self._weight * self._same_tag
        for distance, same in enumerate(reversed(self._by_creator)):
            # Where all creators are too near, the one met longest ago is least so.
            np.add(penalty, np.float32(CREATOR_NEAR - distance), out=penalty, where=same)
        for same in self._by_sound:
            np.add(penalty, np.float32(SOUND_NEAR), out=penalty, where=same)
        return penalty
