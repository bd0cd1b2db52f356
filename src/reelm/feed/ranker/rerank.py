"""Put ranked candidates in an order that varies, with places kept for what is new.

Greedy, one place after the other: the candidate with the highest score once what is near it on
the page is taken off (maximal marginal relevance: Carbonell, Goldstein, SIGIR 1998, with shared
creator, sound and hashtags as likeness). Every so many places one is kept for a video on trial,
some of these for new creators.
"""

import math
from collections import deque
from collections.abc import Iterable
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
    score = row.score / max(spread, LEAST_SPREAD) + LOT * draw.random(len(row.rows))
    left = dict.fromkeys(np.argsort(-score).tolist())
    scores = score.tolist()
    on_trial = dict.fromkeys(np.flatnonzero(row.trial).tolist())
    share = trial_share(newness)
    chosen, propensity = list[int](), list[float]()
    while left and len(chosen) < limit:
        if first != NONE and not chosen:
            place, likely = first, 1.0
        elif draw.random() < share and on_trial:
            place, likely = _on_trial(row, list(on_trial), share, draw)
        else:
            place, likely = near.best(left, scores), 1.0 - share if on_trial else 1.0
        del left[place]
        on_trial.pop(place, None)
        near.add(row, place)
        chosen.append(place)
        propensity.append(likely)
    return chosen, propensity


def _on_trial(
    row: Row, pool: list[int], share: float, draw: np.random.Generator
) -> tuple[int, float]:
    by_new = [place for place, is_new in zip(pool, row.new_creator[pool], strict=True) if is_new]
    if by_new and draw.random() < NEW_CREATOR_SHARE:
        pool = by_new
    drawn = draw.integers(0, len(pool), min(DRAWN, len(pool))).tolist()
    best = max((pool[n] for n in drawn), key=lambda place: (float(row.promise[place]), -place))
    return best, share / len(pool)


class _Near:
    """What is near the last videos of the page, kept up to date as the page grows."""

    def __init__(self, row: Row, before: Row | None, variety: float) -> None:
        self._weight = TAG_NEAR * 2 * variety
        self._own = row.creators.tolist(), row.sounds.tolist(), row.tags.tolist()
        # Of each hashtag a bit for each of the last videos that bear it.
        self._bits: dict[int, int] = {}
        self._tags = deque[list[int]]()
        self._count = 0
        self._creators, self._sounds = deque[int](maxlen=CREATOR_GAP), deque[int](maxlen=SOUND_GAP)
        if before is not None:
            for place in range(len(before.rows)):
                self.add(before, place)

    def add(self, page: Row, place: int) -> None:
        """Note that this video is the last one now."""
        # The one met longest ago comes last.
        self._creators.appendleft(int(page.creators[place]))
        self._sounds.appendleft(int(page.sounds[place]))
        bit = 1 << self._count % TAG_WINDOW
        self._count += 1
        if len(self._tags) == TAG_WINDOW:
            for tag in self._tags.popleft():
                self._bits[tag] &= ~bit
        self._tags.append([tag for tag in page.tags[place].tolist() if tag != NONE])
        for tag in self._tags[-1]:
            self._bits[tag] = self._bits.get(tag, 0) | bit

    def best(self, places: Iterable[int], scores: list[float]) -> int:
        """Return the place of the highest score once what is near it is taken off.

        Args:
            places: that are left, those of high scores first.
            scores: of all places.
        """
        best, found = -math.inf, NONE
        for place in places:
            if scores[place] <= best:
                break  # nearness only takes off
            worth = scores[place] - self._penalty(place)
            if worth > best or found == NONE:
                best, found = worth, place
        return found

    def _penalty(self, place: int) -> float:
        creators, sounds, tags = self._own
        met = 0
        for tag in tags[place]:
            met |= self._bits.get(tag, 0)
        penalty = self._weight * met.bit_count()
        if creators[place] in self._creators:
            for distance, creator in enumerate(self._creators):
                # Where all creators are too near, the one met longest ago is least so.
                penalty += (CREATOR_NEAR - distance) * (creator == creators[place])
        if sounds[place] != NONE:
            penalty += SOUND_NEAR * self._sounds.count(sounds[place])
        return penalty
