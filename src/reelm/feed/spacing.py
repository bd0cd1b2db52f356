"""Put candidates in an order that varies: authors, sounds and hashtags keep their distance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A creator is not met again within this many videos, a sound within a few less (many videos may
# share one), and no hashtag fills more than MAX_SAME_TAG of any TAG_WINDOW in a row. Chosen so
# that a page of ten has at least three creators and, where the catalogue has them, four topics.
AUTHOR_GAP = 4
SOUND_GAP = 3
TAG_WINDOW, MAX_SAME_TAG = 5, 2
# Each fifth place is kept for a video that has had no fair trial yet.
TRIAL_EVERY = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A video that may come next, with what the ordering asks of it."""

    video_id: int
    account_id: int
    sound_id: int | None
    tags: frozenset[str]
    views: int
    score: float
    source: str


def spaced(
    ranked: Sequence[Candidate],
    trial: Sequence[Candidate],
    before: Sequence[Candidate],
    limit: int,
) -> list[Candidate]:
    """Return up to `limit` candidates, best first as far as the distances allow.

    Args:
        ranked: candidates, best first.
        trial: candidates for the places kept for new videos, in the order to try.
        before: what the viewer was shown last, oldest first.
        limit: how many to return.
    """
    row, page, taken = list(before), list[Candidate](), set[int]()
    while len(page) < limit:
        is_trial = len(page) % TRIAL_EVERY == TRIAL_EVERY - 1
        pools = (trial, ranked) if is_trial else (ranked, trial)
        chosen = next(filter(None, (_best(pool, taken, row) for pool in pools)), None)
        if chosen is None:
            break
        taken.add(chosen.video_id)
        row.append(chosen)
        page.append(chosen)
    return page


def _best(pool: Iterable[Candidate], taken: set[int], row: Sequence[Candidate]) -> Candidate | None:
    """Return the first candidate that sits well after `row`, or the one that sits least ill."""
    least, best = 0, None
    for candidate in pool:
        if candidate.video_id in taken:
            continue
        crowding = _crowding(candidate, row)
        if crowding == 0:
            return candidate
        if best is None or crowding < least:
            least, best = crowding, candidate
    return best


def _crowding(candidate: Candidate, row: Sequence[Candidate]) -> int:
    """Return how badly a candidate would sit after `row`; 0 is well."""
    for distance, near in enumerate(reversed(row[-AUTHOR_GAP:])):
        if near.account_id == candidate.account_id:
            # Where all creators are too near, the one met longest ago is best.
            return 2 + AUTHOR_GAP - distance
    sound = candidate.sound_id
    if sound is not None and any(near.sound_id == sound for near in row[-SOUND_GAP:]):
        return 1
    window = row[-(TAG_WINDOW - 1) :]
    crowded = any(
        sum(tag in near.tags for near in window) >= MAX_SAME_TAG for tag in candidate.tags
    )
    return 1 if crowded else 0
