"""Say what to watch next.

For You: the catalogue and the viewer's own sources give candidates, the score ranks them, the
spacing varies them, and each video given out is written down at once, so that it does not come
again before all others have. Then the ones seen longest ago come first, and the page says so.
One's own videos are not recommended to oneself, but for a new one, which comes first once, and
when nothing else is left.

Following: all videos of followed creators in the order of time, seen or not.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from reelm.feed import sources
from reelm.feed.catalogue import catalogue
from reelm.feed.cursor import Cursors, Tab
from reelm.feed.impressions import (
    AGAIN,
    Shown,
    batch,
    oldest,
    record,
    record_again,
    take_turn,
)
from reelm.feed.spacing import Candidate, spaced
from reelm.foundation.errors import Unauthenticated
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts

# Candidates looked at for one place on the page: enough for the distances to choose from.
FIRST_LOOK, LOOK_GROWTH, ENOUGH = 6, 4, 3


@dataclass(frozen=True)
class Page:
    """Videos to watch next, and the cursor of the page after."""

    videos: tuple[Shown, ...]
    cursor: str
    seen_again: bool


def recommend(
    session: Session,
    parts: Parts,
    *,
    viewer_id: int,
    account_id: int | None,
    limit: int = 10,
    cursor: str | None = None,
    tab: Tab = "for_you",
) -> Page:
    """Return the next page of a tab; the same cursor gives the same page.

    Args:
        session: the transaction in which the impressions are written.
        parts: the open region, whose key signs the cursors.
        viewer_id: the account's id, or the anonymous viewer's.
        account_id: the account, or None for an anonymous viewer.
        limit: most videos on a page that is made now.
        cursor: of the page before; None begins.
        tab: for_you or following.

    Raises:
        Invalid: the cursor was not given out to this viewer for this tab.
        Unauthenticated: an anonymous viewer follows nobody.
    """
    cursors = Cursors.of(parts.region_key, viewer_id)
    if tab == "following":
        if account_id is None:
            raise Unauthenticated("Sign in to see the videos of those you follow.")
        return _following(session, cursors, viewer_id, account_id, limit, cursor)
    batch_id = new_id() if cursor is None else cursors.read("for_you", cursor)
    take_turn(session, viewer_id)
    page = [] if cursor is None else batch(session, viewer_id, batch_id)
    if not page:
        chosen = _unseen(session, viewer_id, account_id, limit)
        page = record(session, viewer_id, batch_id, chosen)
    if not page:
        page = oldest(session, viewer_id, account_id, limit)
        record_again(session, viewer_id, batch_id, page)
    return Page(
        videos=tuple(page),
        cursor=cursors.write("for_you", cursors.batch_after(batch_id)),
        seen_again=any(shown.source == AGAIN for shown in page),
    )


def _following(
    session: Session,
    cursors: Cursors,
    viewer_id: int,
    account_id: int,
    limit: int,
    cursor: str | None,
) -> Page:
    before = sources.MAX_ID if cursor is None else cursors.read("following", cursor)
    ids = sources.following_tab(session, account_id, before=before, limit=limit)
    page = [Shown(video_id, "following_tab") for video_id in ids]
    take_turn(session, viewer_id)
    record(session, viewer_id, new_id(), page)
    last = page[-1].video_id if page else before
    return Page(tuple(page), cursors.write("following", last), seen_again=False)


def _unseen(session: Session, viewer_id: int, account_id: int | None, limit: int) -> list[Shown]:
    ranked, trial = _from_catalogue(session, viewer_id, account_id, limit)
    first: list[Candidate] = []
    if account_id is not None:
        first = sources.own_new(session, viewer_id, account_id)
        followed = sources.from_followed(session, viewer_id, account_id, ENOUGH * limit)
        ranked = _merged(followed, ranked)
    if len(first) + len({c.video_id for c in (*ranked, *trial)}) < limit:
        known = {c.video_id for c in (*first, *ranked, *trial)}
        rest = sources.the_rest(session, viewer_id, account_id, limit + len(known))
        ranked = [*ranked, *(c for c in rest if c.video_id not in known)]
    if not first and not ranked and not trial:
        return []
    before = [*sources.last_shown(session, viewer_id, account_id), *first]
    chosen = [*first, *spaced(ranked, trial, before, limit - len(first))]
    return [Shown(candidate.video_id, candidate.source) for candidate in chosen]


def _from_catalogue(
    session: Session, viewer_id: int, account_id: int | None, limit: int
) -> tuple[list[Candidate], list[Candidate]]:
    """Return unseen candidates, best first, and some of those on trial in random order."""
    known = catalogue(session)
    others = [c for c in known.ranked if c.account_id != account_id]
    on_trial = [c for c in known.trial if c.account_id != account_id]
    # Chance decides, so that each new video gets its share of viewers.
    trial = random.sample(on_trial, min(len(on_trial), ENOUGH * limit))
    start, size, ranked, spare = 0, FIRST_LOOK * limit, list[Candidate](), list[Candidate]()
    of_creator = Counter[int]()
    while start < len(others) and len(ranked) < ENOUGH * limit:
        look = others[start : start + size]
        ids = [c.video_id for c in (*look, *trial)]
        open_ids = sources.unseen(session, viewer_id, account_id, ids)
        trial = [c for c in trial if c.video_id in open_ids]
        for candidate in look:
            if candidate.video_id in open_ids:
                of_creator[candidate.account_id] += 1
                crowds = of_creator[candidate.account_id] > sources.OF_EACH_CREATOR
                (spare if crowds else ranked).append(candidate)
        start, size = start + size, size * LOOK_GROWTH
    return [*ranked, *spare[: ENOUGH * limit]], trial


def _merged(followed: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    known = {c.video_id for c in followed}
    merged = [*followed, *(c for c in ranked if c.video_id not in known)]
    return sorted(merged, key=lambda c: c.score, reverse=True)
