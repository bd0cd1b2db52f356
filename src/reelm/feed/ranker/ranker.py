"""The ranker: `recommend` says what to watch next, `observe` learns from what was watched.

Everything is in memory and takes and gives plain values, so that it can live in another process.
`observe` is a function of the state and the batch alone; `recommend` changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker import held, learn, rank
from reelm.feed.ranker.candidates import NUMBER_OF, Candidates, Found
from reelm.feed.ranker.digest import digest_of
from reelm.feed.ranker.model import Model
from reelm.feed.ranker.relevance import Profile
from reelm.feed.ranker.rerank import CREATOR_GAP, TAG_WINDOW, Row, rerank
from reelm.feed.ranker.rows import NONE, Array, Ints
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.ranker.values import Ask, Pick, Prediction, State, VideoFacts
from reelm.feed.signals import SURFACES, Signal
from reelm.feed.weights import NEW_CREATOR_IMPRESSIONS, SOURCES, following_boost

# About as many as the candidates of a page.
RANKED = 300
# With skips in a row, from the second to so many, a page is varied up to far beyond the slider:
# taste may have changed.
UNPLEASED, UNPLEASED_VARIETY = 4, 3.0
# What was shown last, as far as distances on the next page look back.
LOOK_BACK = max(CREATOR_GAP, TAG_WINDOW)
# Viewers of whom nothing is known are ranked the same for so long, each with chance of their own;
# by what they ask for.
NEWCOMERS_MS, MOST_NEWCOMERS = 1_000, 200
_Ranked = tuple[Found, Profile, rank.Scores | None]


class Ranker:
    """One region's ranker.

    Args:
        sizes: how much it may hold.
        seed: of the first weights and of all chance in learning.
    """

    def __init__(self, sizes: Sizes | None = None, *, seed: int = 0) -> None:
        self._model = Model(sizes or Sizes(), seed)
        # Chance on the page is not part of the state: the log says what was shown.
        self._draw = np.random.default_rng(seed)
        self._for_newcomers: dict[tuple[Any, ...], tuple[int, _Ranked]] = {}
        model = self._model
        self._candidates = Candidates(
            model.catalogue,
            model.viewers,
            model.seen,
            model.popularity,
            model.neighbours.lifts,
            model.leanings,
            self._draw,
        )

    def add_videos(self, facts: Iterable[VideoFacts]) -> None:
        """Take in new or changed videos."""
        videos = self._model.catalogue.videos
        new = list[int]()
        for one in facts:
            is_new = videos.find(one.video_id) == NONE
            row = self._model.catalogue.add(one)
            if is_new:
                new.append(row)
        self._for_newcomers.clear()
        rows = np.array(new, np.int32)
        self._model.vectors.begin(rows)
        self._candidates.add(rows)

    def remove_videos(self, video_ids: Iterable[int]) -> None:
        """Forget videos."""
        self._model.catalogue.remove(video_ids)
        self._for_newcomers.clear()

    def videos(self) -> list[int]:
        """Return the ids of all videos."""
        return self._model.catalogue.videos.known()

    def observe(self, batch: Sequence[Signal]) -> None:
        """Learn from one batch of the log; the next `recommend` sees it."""
        learn.learn(self._model, batch)

    def recommend(self, ask: Ask) -> list[Pick]:
        """Return what to watch next, best first; what was seen comes only when all was."""
        viewer = self._model.viewers.find(ask.viewer_id)
        found, profile, scores = self._ranked(ask, viewer)
        if scores is None:
            return self._again(ask, viewer)
        row = self._row(ask, found, scores)
        own = found.source == NUMBER_OF["own"]
        places, likely = rerank(
            row,
            self._before(viewer),
            ask.limit,
            first=int(np.argmax(own)) if own.any() else NONE,
            variety=self._variety(ask, viewer),
            newness=ask.newness,
            draw=self._draw,
        )
        reasons = rank.reasons(self._model, profile, scores, places, ask.surface % SURFACES)
        return [
            Pick(
                video_id=int(self._model.catalogue.videos.ids[found.rows[place]]),
                source=SOURCES[int(row.source[place])].name,
                score=float(scores.total[place]),
                propensity=propensity,
                reasons=why,
            )
            for place, propensity, why in zip(places, likely, reasons, strict=True)
        ]

    def predict(self, viewer_id: int, video_id: int, *, at_ms: int, surface: int) -> Prediction:
        """Return what the heads expect of one impression."""
        viewer = self._model.viewers.find(viewer_id)
        rows = self._model.catalogue.videos.find_all([video_id])
        heads = rank.expect(self._model, viewer, rows, surface=surface % SURFACES, at_ms=at_ms)
        return rank.prediction(self._model, heads[0])

    def rank_of(
        self,
        viewer_id: int,
        video_id: int,
        *,
        at_ms: int,
        surface: int,
        without: frozenset[int] = frozenset(),
    ) -> int:
        """Return the place of a video, from 1, among all but `without`, as a page would order them.

        As for a page a few hundred are found and ranked, here by their relevance among all videos;
        the others come after them in that order. Places of equal score count as behind: nothing is
        gained by scores that are all the same.

        Raises:
            ValueError: there is no such video.
        """
        model, surface = self._model, surface % SURFACES
        videos = model.catalogue.videos
        row = videos.find(video_id)
        if row == NONE:
            raise ValueError(f"There is no video {video_id} in the catalogue.")
        rows = np.flatnonzero(videos.ids[: videos.top]).astype(np.int32)
        gone = videos.find_all(other for other in without if other != video_id)
        rows = rows[~np.isin(rows, gone)]
        viewer = model.viewers.find(viewer_id)
        profile = model.relevance.profile(viewer)
        views = model.relevance.views(profile, rows, surface, at_ms)
        relevance = model.relevance.blend(views, surface)
        place = int(np.count_nonzero(relevance >= relevance[rows == row][0]))
        if place > RANKED:
            return place
        if len(rows) > RANKED:
            rows = np.sort(rows[np.argpartition(relevance, -RANKED)[-RANKED:]])
        scores = rank.score(model, profile, viewer, rows, surface=surface, at_ms=at_ms)
        return int(np.count_nonzero(scores.total >= scores.total[rows == row][0]))

    def forget(self, viewer_id: int) -> None:
        """Forget a viewer."""
        self._model.viewers.drop([viewer_id])

    def viewers(self) -> list[int]:
        """Return the ids of all viewers of whom anything is known."""
        return self._model.viewers.known()

    def known_of(self, viewer_id: int) -> dict[str, Any]:
        """Return all that is held about one viewer; empty for one of whom nothing is known."""
        return held.known_of(self._model, viewer_id)

    def state(self) -> State:
        """Return the whole state; its arrays share memory with the ranker."""
        return self._model.state()

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another version, of other sizes, or not whole.
        """
        self._model.load(header, arrays)
        self._for_newcomers.clear()
        self._candidates.renew(np.flatnonzero(self._model.catalogue.videos.ids).astype(np.int32))

    @classmethod
    def from_state(cls, state: State, *, seed: int = 0) -> Self:
        """Make a ranker of a state.

        Raises:
            ValueError: as `load`.
        """
        sizes = state.header.get("sizes")
        if not isinstance(sizes, dict) or set(sizes) != set(Sizes.__dataclass_fields__):
            raise ValueError("The state does not say its sizes.")
        ranker = cls(Sizes(**{name: int(size) for name, size in sizes.items()}), seed=seed)
        ranker.load(state.header, state.arrays)
        return ranker

    def digest(self) -> str:
        """Return the SHA-256 over the state, in hex: equal for equal states."""
        return digest_of(self.state())

    def _ranked(self, ask: Ask, viewer: int) -> _Ranked:
        """Return candidates and their scores; those whom nothing is known of share them a while."""
        model = self._model
        shares = viewer == NONE and not (ask.followed or ask.avoided or ask.without)
        if shares and model.catalogue.creators.find(ask.viewer_id) == NONE:
            key = ask.limit, ask.surface, ask.topics, ask.languages
            until_ms, ranked = self._for_newcomers.get(key, (0, None))
            if ranked is not None and 0 <= until_ms - ask.now_ms <= NEWCOMERS_MS:
                return ranked
            if len(self._for_newcomers) >= MOST_NEWCOMERS:
                self._for_newcomers.clear()
            ranked = self._rank(ask, viewer)
            self._for_newcomers[key] = ask.now_ms + NEWCOMERS_MS, ranked
            return ranked
        return self._rank(ask, viewer)

    def _rank(self, ask: Ask, viewer: int) -> _Ranked:
        found = self._candidates.find(ask, viewer)
        profile = self._model.relevance.profile(viewer)
        if not len(found.rows):
            return found, profile, None
        surface = ask.surface % SURFACES
        scores = rank.score(
            self._model, profile, viewer, found.rows, surface=surface, at_ms=ask.now_ms
        )
        return found, profile, scores

    def _again(self, ask: Ask, viewer: int) -> list[Pick]:
        rows = self._candidates.again(ask, viewer)[: ask.limit]
        ids = self._model.catalogue.videos.ids[rows].tolist()
        return [Pick(video_id, "again", 0.0, 1.0, again=True) for video_id in ids]

    def _variety(self, ask: Ask, viewer: int) -> float:
        """Return how varied the page is: the more, the longer nothing has pleased."""
        if viewer == NONE:
            return ask.variety
        long = self._model.viewers.latest_long(viewer, UNPLEASED)
        skips = int(np.argmax(long)) if long.any() else len(long)
        more = max(UNPLEASED_VARIETY - ask.variety, 0.0)
        return ask.variety + more * max(skips - 1, 0) / (UNPLEASED - 1)

    def _before(self, viewer: int) -> Row | None:
        if viewer == NONE:
            return None
        rows = self._model.seen.latest(viewer, LOOK_BACK)
        return self._facts(rows, np.zeros(len(rows), np.int8))

    def _row(self, ask: Ask, found: Found, scores: rank.Scores) -> Row:
        row = self._facts(found.rows, found.source)
        row.score[:], row.promise[:] = scores.total, scores.promise
        row.trial[:] = self._candidates.on_trial(found.rows, ask.now_ms)
        shown = self._model.catalogue.creator_impressions[row.creators]
        row.new_creator[:] = shown < NEW_CREATOR_IMPRESSIONS
        if ask.followed:
            followed = self._model.catalogue.creators.find_all(ask.followed)
            row.score[np.isin(row.creators, followed)] += following_boost(ask.following)
        return row

    def _facts(self, rows: Ints, source: npt.NDArray[np.int8]) -> Row:
        videos = self._model.catalogue.videos
        no = np.zeros(len(rows), np.bool_)
        return Row(
            rows=rows,
            score=np.zeros(len(rows), np.float32),
            promise=np.zeros(len(rows), np.float32),
            source=source,
            creators=videos.creator[rows],
            sounds=videos.sound[rows],
            tags=self._model.catalogue.telling_tags(rows),
            trial=no,
            new_creator=no.copy(),
        )
