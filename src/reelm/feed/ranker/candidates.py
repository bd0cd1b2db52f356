"""Candidates: a few hundred videos of the whole catalogue that may be worth ranking.

Each comes from a named source and remembers it. No request goes over the whole catalogue: what is
popular is kept up to date from what has moved, and the best of a hashtag for some seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import FOLLOWERS, PUBLIC, Catalogue, number_of
from reelm.feed.ranker.leanings import Leanings
from reelm.feed.ranker.popularity import Popularity
from reelm.feed.ranker.rows import NONE, Array, Ints
from reelm.feed.ranker.seen import Seen
from reelm.feed.ranker.values import Ask
from reelm.feed.ranker.viewers import Viewers
from reelm.feed.weights import SOURCES, TRIAL_DAYS, TRIAL_IMPRESSIONS

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Neighbours = Callable[[Ints], tuple[Ints, Floats]]

NUMBER_OF = {source.name: number for number, source in enumerate(SOURCES)}
# How many of each source are ranked, at most: some 200 together, which take a millisecond or two.
MOST = {"following": 30, "chosen": 60, "interest": 80, "neighbours": 40, "popular": 50, "new": 20}
# Kept lists, and how long. The popular list is long enough that whoever has seen much still finds
# popular videos in it.
POPULAR, TAGGED = 4000, 120
# Of it so many are looked at first: enough for most viewers.
POPULAR_FIRST = 400
POPULAR_MS, TAGGED_MS = 2_000, 30_000
MOST_KEPT = 5_000
COMPACT_FROM = 1_000
# Hashtags and creators of one viewer that are looked up, videos of each creator, followed creators
# looked at for one page, and recent long views whose neighbours are.
TOPICS, CREATORS, OF_EACH_CREATOR, FOLLOWED, POSITIVES = 6, 6, 8, 60, 16
# A person who has posted wants to meet the video in the feed; after a day that wish is past.
OWN_IS_NEW_MS = 24 * 3600 * 1000
TRIAL_MS = TRIAL_DAYS * 24 * 3600 * 1000


@dataclass
class Found:
    """Candidates of one request: rows of videos, each once, and the number of its source."""

    rows: Ints
    source: npt.NDArray[np.int8]


@dataclass
class _Kept:
    rows: Ints
    until_ms: int


@dataclass
class Candidates:
    """Finds candidates.

    Args:
        catalogue: what there is.
        viewers: what is known of viewers.
        seen: what they were shown.
        popularity: of videos, and which have moved in it.
        neighbours: gives videos watched beside some, and how strongly each.
        leanings: of viewers to hashtags and creators.
        draw: gives a random generator; it changes no state of the model.
    """

    catalogue: Catalogue
    viewers: Viewers
    seen: Seen
    popularity: Popularity
    neighbours: Neighbours
    leanings: Leanings
    draw: np.random.Generator
    trial: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    _popular_rows: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    _popular_until_ms: int = 0
    _kept: dict[int, _Kept] = field(default_factory=dict)

    def find(self, ask: Ask, viewer: int) -> Found:
        """Return candidates that the viewer was not shown yet; `viewer` is a row or NONE."""
        parts = self._by_source(ask, viewer, POPULAR_FIRST)
        found = self._open(ask, viewer, parts)
        if np.count_nonzero(found.source == NUMBER_OF["popular"]) < MOST["popular"] // 2:
            # Who has seen much finds more further down.
            parts = self._by_source(ask, viewer, POPULAR)
            found = self._open(ask, viewer, parts)
        if len(found.rows) < ask.limit:
            parts.append(("rest", self._rest()))
            found = self._open(ask, viewer, parts)
        if ask.languages and len(found.rows) < ask.limit:
            ask = ask._replace(languages=())
            found = self._open(ask, viewer, parts)
        if not len(found.rows):
            # In a region of one person the feed would be empty otherwise.
            found = self._open(ask, viewer, parts, own_too=True)
        return found

    def again(self, ask: Ask, viewer: int) -> Ints:
        """Return what the viewer was shown longest ago and may see again."""
        if viewer == NONE:
            return np.empty(0, np.int32)
        rows = self.seen.oldest(viewer)
        return rows[self._may(ask, viewer, rows, own_too=True)]

    def add(self, rows: Ints) -> None:
        """Take in new videos: they are on trial, and may become popular."""
        self.trial = np.concatenate([self.trial, rows])
        if len(self.trial) > 2 * len(self.catalogue.videos) + COMPACT_FROM:
            # Rows that have changed hands stand in it more than once.
            self.trial = np.unique(self.trial)
        self.popularity.moved.append(rows)

    def renew(self, rows: Ints) -> None:
        """Begin anew with these as all that there is."""
        self.trial = self._popular_rows = np.empty(0, np.int32)
        self._kept.clear()
        self.add(rows)

    def on_trial(self, rows: Ints, now_ms: int) -> Mask:
        """Return which of the rows have not had a fair trial yet."""
        videos = self.catalogue.videos
        young = videos.published_ms[rows] > now_ms - TRIAL_MS
        result: Mask = young & (videos.impressions[rows] < TRIAL_IMPRESSIONS)
        return result

    def _by_source(self, ask: Ask, viewer: int, popular: int) -> list[tuple[str, Ints]]:
        following = self._following(ask)
        interest = self._interest(ask, viewer)
        beside = np.empty(0, np.int32)
        if viewer != NONE:
            beside, _ = self.neighbours(self.viewers.recent_long(viewer)[-POSITIVES:])
        return [
            ("own", self._own(ask)),
            ("following", following),
            ("neighbours", beside),
            ("chosen", self._chosen(ask)),
            ("interest", interest),
            ("popular", self._popular(ask.now_ms)[:popular]),
            ("new", self._new(ask)),
        ]

    def _open(
        self, ask: Ask, viewer: int, parts: list[tuple[str, Ints]], *, own_too: bool = False
    ) -> Found:
        """Return the first of each source that may be shown and were not, each once."""
        rows, numbers = list[Ints](), list[npt.NDArray[np.int8]]()
        everything = np.concatenate([part for _, part in parts]).astype(np.int32)
        may = self._may(ask, viewer, everything, own_too=own_too)
        if viewer != NONE:
            may &= ~self.seen.among(viewer, everything)
        start = 0
        for name, part in parts:
            fit = part[may[start : start + len(part)]]
            start += len(part)
            fit = fit[: MOST.get(name, len(fit))]
            rows.append(fit)
            numbers.append(np.full(len(fit), NUMBER_OF[name], np.int8))
        joined, sources = np.concatenate(rows), np.concatenate(numbers)
        _, first = np.unique(joined, return_index=True)
        first.sort()
        return Found(joined[first].astype(np.int32), sources[first])

    def _may(self, ask: Ask, viewer: int, rows: Ints, *, own_too: bool) -> Mask:
        """Return which rows may be shown to this viewer at all."""
        videos, catalogue = self.catalogue.videos, self.catalogue
        audience, creators = videos.audience[rows], videos.creator[rows]
        may: Mask = audience == PUBLIC
        narrow = np.flatnonzero(audience == FOLLOWERS)
        if len(narrow):
            may[narrow] = np.isin(creators[narrow], catalogue.creators.find_all(ask.followed))
        own = catalogue.creators.find(ask.viewer_id)
        if own != NONE and not own_too:
            # Older ones of one's own come only when nothing else is left.
            may &= (creators != own) | (videos.published_ms[rows] > ask.now_ms - OWN_IS_NEW_MS)
        if ask.languages:
            spoken = videos.language[rows]
            fits = spoken == 0  # music, scenery: for everybody
            for language in ask.languages:
                fits |= spoken == number_of(language)
            may &= fits
        avoided = [catalogue.creators.find(creator) for creator in ask.avoided]
        gone = [videos.find(video_id) for video_id in ask.without]
        for values, unwanted in ((creators, avoided), (rows, gone)):
            if unwanted:
                may &= ~np.isin(values, np.array(unwanted, np.int32))
        if viewer != NONE and viewer in self.viewers.hidden:
            may &= ~self._hidden(viewer, rows)
        return may

    def _hidden(self, viewer: int, rows: Ints) -> Mask:
        videos, catalogue = self.catalogue.videos, self.catalogue
        hidden = self.viewers.hidden[viewer]
        result = np.zeros(len(rows), np.bool_)
        for kind, table, column in (
            ("video", videos, rows),
            ("creator", catalogue.creators, videos.creator[rows]),
            ("sound", catalogue.sounds, videos.sound[rows]),
            ("hashtag", catalogue.tags, videos.tags[rows]),
        ):
            unwanted = table.find_all(hidden.get(kind, ()))
            matching = np.isin(column, unwanted[unwanted != NONE])
            result |= matching.any(axis=1) if matching.ndim > 1 else matching
        return result

    def _own(self, ask: Ask) -> Ints:
        own = self.catalogue.creators.find(ask.viewer_id)
        rows = [] if own == NONE else self.catalogue.newest_of(own, 1)
        return np.array(rows, np.int32)

    def _following(self, ask: Ask) -> Ints:
        creators = [self.catalogue.creators.find(creator) for creator in ask.followed]
        if len(creators) > FOLLOWED:
            creators = self.draw.permutation(creators)[:FOLLOWED].tolist()
        return self._newest(creators)

    def _interest(self, ask: Ask, viewer: int) -> Ints:
        topics, creators = list[int](), list[int]()
        if viewer != NONE:
            liked = self.viewers.recent_long(viewer)
            videos, tags = self.catalogue.videos, self.catalogue.tags.ids
            topics += self._favourites(viewer, self.catalogue.telling_tags(liked), tags, TOPICS)
            creators = self._favourites(
                viewer, videos.creator[liked], self.catalogue.creators.ids, CREATORS
            )
        lists = [self._tagged(tag, ask.now_ms) for tag in dict.fromkeys(topics) if tag != NONE]
        return _in_turn([self._newest(creators), *lists])

    def _chosen(self, ask: Ask) -> Ints:
        topics = [self.catalogue.tags.find(number_of(topic)) for topic in ask.topics]
        return _in_turn([self._tagged(tag, ask.now_ms) for tag in topics if tag != NONE])

    def _favourites(self, viewer: int, values: Ints, ids: Array, count: int) -> list[int]:
        """Return the rows of hashtags or creators towards which a viewer leans most."""
        known = np.unique(values[values != NONE])
        leaning = self.leanings.to(viewer, ids[known])
        best = np.lexsort((known, -leaning))[:count]
        return [int(row) for row in known[best[leaning[best] > 0]]]

    def _newest(self, creators: list[int]) -> Ints:
        newest = [
            row
            for creator in creators
            if creator != NONE
            for row in self.catalogue.newest_of(creator, OF_EACH_CREATOR)
        ]
        return np.array(newest, np.int32)

    def _popular(self, now_ms: int) -> Ints:
        """Return the most popular videos, best first.

        All counts fade alike, so that what has not moved keeps its order: the best are among the
        best of before and those that moved since.
        """
        if not 0 <= self._popular_until_ms - now_ms <= POPULAR_MS:
            rows = np.unique(np.concatenate([self._popular_rows, *self.popularity.moved]))
            self.popularity.moved.clear()
            self._popular_rows = self._best(rows, POPULAR, now_ms)
            self._popular_until_ms = now_ms + POPULAR_MS
        return self._popular_rows

    def _tagged(self, tag: int, now_ms: int) -> Ints:
        """Return the most popular videos with a hashtag, best first, from a list kept a while."""
        kept = self._kept.get(tag)
        # A clock that was set back would keep a list for ever.
        if kept is not None and 0 <= kept.until_ms - now_ms <= TAGGED_MS:
            return kept.rows
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        rows = self.catalogue.tagged(tag)
        if kept is not None:
            # What has grown old may be among the best still.
            rows = np.union1d(rows, kept.rows[self.catalogue.bear(kept.rows, tag)])
        rows = self._best(rows, TAGGED, now_ms)
        self._kept[tag] = _Kept(rows, now_ms + TAGGED_MS)
        return rows

    def _best(self, rows: Ints, most: int, now_ms: int) -> Ints:
        rows = rows[self.catalogue.videos.audience[rows] == PUBLIC]
        popularity = self.popularity.now(rows, now_ms)
        if len(rows) > most:
            best = np.argpartition(popularity, -most)[-most:]
            rows, popularity = rows[best], popularity[best]
        best_first: Ints = rows[np.lexsort((rows, -popularity))]
        return best_first

    def _new(self, ask: Ask) -> Ints:
        if not len(self.trial):
            return np.empty(0, np.int32)
        rows = np.unique(self.draw.choice(self.trial, 4 * MOST["new"]))
        on_trial = self.on_trial(rows, ask.now_ms)
        if np.count_nonzero(on_trial) < len(rows) / 2:
            self.trial = self.trial[self.on_trial(self.trial, ask.now_ms)]
        return rows[on_trial]

    def _rest(self) -> Ints:
        """Return all videos, newest first: only when the lists are used up for this viewer."""
        videos = self.catalogue.videos
        rows = np.flatnonzero(videos.audience[: videos.top] != 0)
        return rows[np.argsort(-videos.published_ms[rows], kind="stable")].astype(np.int32)


def _in_turn(lists: list[Ints]) -> Ints:
    """Return one of each list in turn, so that each has its share of the first ones."""
    if not lists:
        return np.empty(0, np.int32)
    longest = max(len(one) for one in lists)
    table = np.full((len(lists), longest), NONE, np.int32)
    for place, one in enumerate(lists):
        table[place, : len(one)] = one
    joined: Ints = table.T[table.T != NONE]
    return joined
