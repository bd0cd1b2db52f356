"""How near a video is to a viewer: several views of it, blended by weights that are learned.

Each view is a logarithm of odds; the blend is their weighted sum. The weights follow, online,
the softmax over which video is watched long next, against a sample of others whose terms are
divided by how likely they were drawn (Bengio, Senecal, IEEE Trans. Neural Networks 19, 2008). A
shared set of weights takes most of each step, one for the surface the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Catalogue
from reelm.feed.ranker.leanings import Leanings
from reelm.feed.ranker.neighbours import Neighbours
from reelm.feed.ranker.popularity import Popularity
from reelm.feed.ranker.rows import Array, Ints
from reelm.feed.ranker.vectors import Vectors
from reelm.feed.ranker.viewers import Viewers
from reelm.feed.signals import SURFACES

Floats = npt.NDArray[np.float32]
# Each view, and its weight before anything was learned.
VIEWS: tuple[tuple[str, float], ...] = (
    ("shown_now", 0.2),
    ("shown_today", 0.2),
    ("popular_today", 0.05),
    ("popular_lately", 0.4),
    ("beside", 0.6),
    ("taste", 0.6),
    ("seen", -0.5),
    ("topic_now", 6.0),
    ("topic", 6.0),
    ("creator_now", 1.5),
    ("creator", 3.0),
    ("worth", 3.0),
)
# The first views tell how popular a video is, the others how it fits the viewer.
POPULAR, TASTE, SEEN = 4, 5, 6
RATE, SURFACE_RATE = 0.1, 0.03
SAMPLE = 256
LEAST_OTHERS = 3
# Watches whose neighbours are looked up.
BESIDE = 16


@dataclass(frozen=True)
class Profile:
    """What the views need of one viewer, worked out once for all videos of a request."""

    viewer: int
    recent: Ints
    interest: Floats
    beside: tuple[Ints, Floats]


class Relevance:
    """The views and their blend."""

    def __init__(
        self,
        catalogue: Catalogue,
        viewers: Viewers,
        popularity: Popularity,
        neighbours: Neighbours,
        vectors: Vectors,
        leanings: Leanings,
        seed: int,
    ) -> None:
        self._catalogue, self._viewers = catalogue, viewers
        self._popularity, self._neighbours = popularity, neighbours
        self._vectors, self._leanings = vectors, leanings
        self._random = np.random.default_rng(seed)
        self._weights = np.zeros((SURFACES + 1, len(VIEWS)))  # the last row is shared by all
        self._weights[SURFACES] = [weight for _, weight in VIEWS]
        self._scales = np.ones_like(self._weights)

    def profile(self, viewer: int) -> Profile:
        """Return what the views need of a viewer."""
        recent = self._viewers.recent(viewer)
        return Profile(
            viewer=viewer,
            recent=recent,
            interest=self._vectors.interest(recent),
            beside=self._neighbours.lifts(recent[-BESIDE:]),
        )

    def views(
        self,
        profile: Profile,
        rows: Ints,
        surface: int,
        at_ms: int,
        leanings: Floats | None = None,
    ) -> Floats:
        """Return all views of some videos, shape (views, n); `leanings` if they are known."""
        if leanings is None:
            viewers = np.array([profile.viewer], np.int32)
            leanings = self._leanings.of(viewers, rows)
        result = np.zeros((len(VIEWS), len(rows)), np.float32)
        result[:POPULAR] = self._popularity.features(rows, surface, at_ms)
        result[SEEN + 1 :] = leanings.T
        if not len(profile.recent):
            return result
        lift = self._neighbours.lift_of(rows, profile.beside) / len(profile.recent[-BESIDE:])
        result[POPULAR] = np.log(np.maximum(1 + lift, 0.1))
        result[TASTE] = self._vectors.fits(profile.interest, rows)
        result[SEEN] = np.isin(rows, profile.recent)
        return result

    def blend(self, views: Floats, surface: int) -> Floats:
        """Return the relevance of videos from their views, in log-odds."""
        result: Floats = self.weights(surface).astype(np.float32) @ views
        return result

    def weights(self, surface: int) -> Array:
        """Return the weight of each view on a surface."""
        weights: Array = self._weights[surface] + self._weights[SURFACES]
        return weights

    def learn(self, viewer: int, row: int, surface: int, at_ms: int, *, is_own: bool) -> None:
        """Move the weights towards a video that was watched long next.

        A video that others brought is set against all that there is: that it was shown at all
        tells something. One that this ranker chose is set against what it chose beside it and the
        viewer did not watch long.
        """
        others, likely = self._passed_over(viewer) if is_own else self._sample(at_ms)
        profile = self.profile(viewer)
        usable = (others != row) & ~np.isin(others, self._viewers.recent_long(viewer))
        others, likely = others[usable], likely[usable]
        if len(others) < LEAST_OTHERS:
            return
        views = self.views(profile, np.concatenate([[np.int32(row)], others]), surface, at_ms)
        logits = self.weights(surface) @ views
        logits[1:] -= np.log(likely * SAMPLE)
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        slope = views[:, 0] - views @ odds
        slope[SEEN] *= not is_own  # all of these were seen
        for place, rate in ((surface, SURFACE_RATE), (SURFACES, RATE)):
            self._scales[place] += slope * slope
            self._weights[place] += rate * slope / np.sqrt(self._scales[place])

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays."""
        arrays = {"relevance.weights": self._weights, "relevance.scales": self._scales}
        return {"random": self._random.bit_generator.state}, arrays

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._random.bit_generator.state = dict(header["random"])
        self._weights[...] = arrays["relevance.weights"]
        self._scales[...] = arrays["relevance.scales"]

    def _passed_over(self, viewer: int) -> tuple[Ints, Floats]:
        """Return what the viewer was shown lately, each as likely as any other."""
        rows = self._viewers.recent(viewer)
        return rows, np.full(len(rows), 1 / SAMPLE, np.float32)

    def _sample(self, at_ms: int) -> tuple[Ints, Floats]:
        """Draw other videos, half of what was watched lately; with how likely each was drawn."""
        if not self._vectors.has_noise:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        videos = self._catalogue.videos
        even = self._random.integers(0, videos.top, SAMPLE // 2).astype(np.int32)
        rows = np.concatenate([self._vectors.noise(SAMPLE // 2), even[videos.ids[even] != 0]])
        shown = self._popularity.shown_share(rows, at_ms)
        return rows, 0.5 * shown + np.float32(0.5 / max(len(videos), 1))
