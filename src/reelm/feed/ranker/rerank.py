"""Put ranked candidates in an order that varies, with places kept for what is new.

Greedy, one place after the other: the candidate with the highest score once what is near it on
the page is taken off (maximal marginal relevance: Carbonell, Goldstein, SIGIR 1998, with shared
creator, sound and hashtags as likeness). Every so many places one is kept for a video on trial,
some of these for new creators.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import NONE, Ints
from reelm.feed.weights import NEW_CREATOR_SHARE, trial_share

Floats = npt.NDArray[np.float32]

# A creator is not met again within this many videos, a sound within a few less (many videos may
# share one). So far apart a page of ten has at least three creators.
CREATOR_GAP, SOUND_GAP, TAG_WINDOW = 4, 3, 6
# What nearness takes off a score whose spread over the candidates is scaled to 1. Creators and
# sounds too near come only where nothing else is left.
CREATOR_NEAR, SOUND_NEAR = 100.0, 50.0
# For each video of the same hashtag among the last six, at the middle of the slider for variety.
TAG_NEAR = 0.35


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
    trial: npt.NDArray[np.bool_]
    new_creator: npt.NDArray[np.bool_]


@dataclass
class _Page:
    """What was shown last and is chosen now, as far as distances look back."""

    creators: list[int] = field(default_factory=list)
    sounds: list[int] = field(default_factory=list)
    tags: list[list[int]] = field(default_factory=list)

    def add(self, creator: int, sound: int, tags: list[int]) -> None:
        self.creators.append(creator)
        self.sounds.append(sound)
        self.tags.append(tags)


def rerank(
    row: Row,
    before: Row | None,
    limit: int,
    *,
    first: int = NONE,
    variety: float,
    newness: float,
    chance: Callable[[], float],
) -> tuple[list[int], list[float]]:
    """Choose up to `limit` candidates.

    Args:
        row: the candidates.
        before: what the viewer was shown last, oldest first.
        limit: how many to choose.
        first: place in `row` of what comes first in any case, or NONE.
        variety: the viewer's slider, 0 to 1.
        newness: the viewer's slider, 0 to 1.
        chance: gives a random number in [0, 1).

    Returns:
        Places in `row`, in the order of the page, and the propensity of each: how likely it was to
        be given this place.
    """
    page = _Page()
    if before is not None:
        _take_up(page, before)
    spread = float(row.score.std()) if len(row.score) else 1.0
    score = (row.score / max(spread, 1e-6)).astype(np.float32)
    taken = np.zeros(len(row.rows), np.bool_)
    share = trial_share(newness)
    chosen, propensity = list[int](), list[float]()
    while len(chosen) < min(limit, len(row.rows)):
        place, likely = NONE, 1.0 - share
        wanted = row.trial & ~taken
        if first != NONE and not chosen:
            place, likely = first, 1.0
        elif chance() < share and wanted.any():
            place, likely = _on_trial(row, wanted, share, chance)
        if place == NONE:
            near = _nearness(row, page, variety)
            near[taken] = np.inf
            place = int(np.argmax(score - near))
            if not wanted.any():
                likely = 1.0
        taken[place] = True
        page.add(int(row.creators[place]), int(row.sounds[place]), row.tags[place].tolist())
        chosen.append(place)
        propensity.append(likely)
    return chosen, propensity


# Of the videos on trial a few are drawn by lot, and the best of these for this viewer is taken: so
# each gets its share of viewers, and rather those who may like it.
DRAWN = 6


def _on_trial(
    row: Row,
    wanted: npt.NDArray[np.bool_],
    share: float,
    chance: Callable[[], float],
) -> tuple[int, float]:
    by_new = wanted & row.new_creator
    if by_new.any() and chance() < NEW_CREATOR_SHARE:
        wanted = by_new
    pool = np.flatnonzero(wanted)
    drawn = [int(pool[int(chance() * len(pool))]) for _ in range(min(DRAWN, len(pool)))]
    best = max(drawn, key=lambda place: (float(row.promise[place]), -place))
    return best, share / len(pool)


def _nearness(row: Row, page: _Page, variety: float) -> Floats:
    near = np.zeros(len(row.rows), np.float32)
    creators, sounds = page.creators[-CREATOR_GAP:], page.sounds[-SOUND_GAP:]
    for distance, creator in enumerate(reversed(creators)):
        # Where all creators are too near, the one met longest ago is least so.
        near[row.creators == creator] += CREATOR_NEAR - distance
    for sound in sounds:
        if sound != NONE:
            near[row.sounds == sound] += SOUND_NEAR
    weight = TAG_NEAR * 2 * variety
    for tags in page.tags[-TAG_WINDOW:]:
        known = [tag for tag in tags if tag != NONE]
        if known and weight:
            near += weight * np.isin(row.tags, known).any(axis=1)
    return near


def _take_up(page: _Page, before: Row) -> None:
    for place in range(len(before.rows)):
        page.add(
            int(before.creators[place]), int(before.sounds[place]), before.tags[place].tolist()
        )
