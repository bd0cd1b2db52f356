"""What to expect of an impression: the heads, from effects, habits and the moment.

Features of an impression are made once, when it is shown, and kept until its outcome is known;
both the effects and the net then learn from the pair.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Catalogue
from reelm.feed.ranker.durations import BUCKETS, MOST_WATCHED_MS, WatchTimes, bucket_of
from reelm.feed.ranker.effects import (
    NUMBER,
    PLACELESS,
    PRIOR,
    TARGETS,
    UNTOLD,
    Effects,
    Things,
    summed_kinds,
)
from reelm.feed.ranker.leanings import Leanings
from reelm.feed.ranker.net import Net
from reelm.feed.ranker.rows import NONE, Array, Ints
from reelm.feed.ranker.vectors import Vectors
from reelm.feed.ranker.viewers import Viewers
from reelm.feed.signals import SKIP_MS, SURFACES

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
HEADS = ("long_view", "watch", "skip", "like", "share_or_follow", "not_interested")
# How much each head's loss counts for the trunk: the rare ones are noisy.
HEAD_WEIGHTS = np.array([1, 1, 0.5, 0.3, 0.1, 0.1], np.float32)
# How often these were met before is a feature of its own.
COUNTED = [
    NUMBER[name]
    for name in (
        "viewer",
        "video",
        "viewer_surface",
        "video_surface",
        "viewer_topic",
        "viewer_duration",
        "viewer_creator",
        "viewer_video",
    )
]
MET = len(COUNTED) - 1  # viewer and video: they met before
SESSION_S = 1800
HOUR_MS = 3_600_000
# A viewer's latest surprises fade by this much with each watch.
SURPRISE_KEPT = 0.8
# Watches over which the running means of what a viewer is shown reach back; of all viewers.
SHOWN_BACK, SHOWN_ALL_BACK = 100, 20_000
# Properties of which these means are kept.
SHOWN = 5
_SURFACE, _BUCKET = np.eye(SURFACES, dtype=np.float32), np.eye(BUCKETS, dtype=np.float32)


class Speaking(NamedTuple):
    """What a viewer's watches say for videos: leanings, shape (n, 5), and fit, shape (n,)."""

    leanings: Floats
    fit: Floats


class Heads:
    """The online model with several heads."""

    def __init__(
        self,
        catalogue: Catalogue,
        viewers: Viewers,
        vectors: Vectors,
        leanings: Leanings,
        seed: int,
    ) -> None:
        self._catalogue, self._viewers = catalogue, viewers
        self._vectors, self._leanings = vectors, leanings
        self.effects, self.watch_times = Effects(), WatchTimes()
        self._last_ms = viewers.column("last_ms", np.int64)
        self._last_surface = viewers.column("last_surface", np.int8, fill=-1)
        self._session = viewers.column("session", np.int32)
        self._surprise = viewers.column("surprise", np.float32, TARGETS)
        self._shown = viewers.column("shown", np.float32, SHOWN)
        self._shown_count = viewers.column("shown_count", np.float32)
        self._shown_all, self._shown_all_count = np.zeros(SHOWN, np.float32), 0.0
        nobody = np.full(1, -1, np.int32)
        self.width = self.features(nobody, nobody, np.zeros(1, np.int64), 0).shape[1]
        self._net = Net(self.width, HEAD_WEIGHTS, seed)

    def features(
        self,
        viewers: Ints,
        videos: Ints,
        surfaces: Longs,
        at_ms: int,
        speaking: Speaking | None = None,
    ) -> Floats:
        """Return the features of impressions, shape (n, width).

        Args:
            viewers: rows, shape (n,), or (1,) for one viewer of all.
            videos: rows, shape (n,).
            surfaces: where they are shown; shape as that of viewers.
            at_ms: when.
            speaking: what speaks for the videos, if it is known already.
        """
        if speaking is None:
            recent = self._viewers.watched[viewers]
            fit = self._vectors.fit(recent, recent != NONE, videos)
            speaking = Speaking(self._leanings.of(viewers, videos), fit)
        rows = self.effects.rows(self._things(viewers, videos, surfaces, at_ms))
        weight, precision = self.effects.of(rows)
        precision = precision[:, COUNTED]
        durations = self._catalogue.videos.duration_ms[videos]
        count = np.log1p(precision[:, :, :2]).reshape(len(videos), -1)
        return np.concatenate(
            [
                0.5 * (summed_kinds(weight) + PRIOR),
                weight[:, :, 0],
                weight[:, :, 1],
                weight[:, :, 2],
                0.3 * count,
                precision[:, MET, :1] > 0,
                _length(durations)[:, None],
                durations[:, None] <= 0,
                _BUCKET[bucket_of(durations)],
                _each(self._habits(viewers, surfaces, at_ms), len(videos)),
                speaking.fit[:, None],
                4 * speaking.leanings,
                _each(_SURFACE[surfaces], len(videos)),
            ],
            axis=1,
            dtype=np.float32,
        )

    def predict(self, features: Floats) -> Floats:
        """Return the probability of each head, shape (n, heads); `watch` is a quantile."""
        return self._net.predict(features)

    def learn(
        self,
        viewers: Ints,
        videos: Ints,
        surfaces: Longs,
        watched_ms: Longs,
        outcomes: Floats,
        features: Floats,
        at_ms: int,
    ) -> None:
        """Learn from outcomes of impressions, each of another viewer.

        Args:
            viewers: rows, shape (n,).
            videos: rows, shape (n,).
            surfaces: where they were shown.
            watched_ms: how long they were watched.
            outcomes: 0 or 1 of each head, shape (n, heads); watch and skip are filled in here.
            features: as they were at the impressions.
            at_ms: when.
        """
        watched_ms = np.minimum(watched_ms, MOST_WATCHED_MS)
        durations = self._catalogue.videos.duration_ms[videos]
        outcomes[:, 1] = self.watch_times.quantile(watched_ms)
        outcomes[:, 2] = watched_ms < SKIP_MS
        self.watch_times.add(watched_ms, durations)
        self.effects.make_room(len(videos))
        rows = self.effects.rows(self._things(viewers, videos, surfaces, at_ms))
        surprise = self.effects.learn(rows, outcomes[:, :TARGETS])
        quantile = self.watch_times.quantile_of_its_length(watched_ms, durations)
        self._leanings.learn(viewers, videos, 0.5 * (outcomes[:, 0] + quantile))
        self._learn_habits(viewers, rows, durations, surprise)
        again = at_ms - self._last_ms[viewers] < SESSION_S * 1000
        self._session[viewers] = np.where(again, self._session[viewers] + 1, 1)
        self._last_ms[viewers] = at_ms
        self._last_surface[viewers] = surfaces
        self._net.learn(features, outcomes)

    def correct(self, features: Floats, outcomes: Floats) -> None:
        """Have the net learn impressions again, of which more is known by now."""
        self._net.learn(features, outcomes)

    def recall(self, viewers: Ints, videos: Ints, long: Array) -> None:
        """Learn from past watches of which only is known whether they were long."""
        surfaces = np.full(len(videos), UNTOLD, np.int64)
        self.effects.make_room(len(videos))
        rows = self.effects.rows(self._things(viewers, videos, surfaces, 0))
        targets = np.repeat(long[:, None], TARGETS, axis=1).astype(np.float32)
        known = np.array([1, 0, 0, 0], np.float32)
        surprise = self.effects.learn(rows, targets, known, PLACELESS)
        # How long is not known: as long as most that are, or are not, watched long.
        self._leanings.learn(viewers, videos, (0.25 + 0.5 * long).astype(np.float32))
        durations = self._catalogue.videos.duration_ms[videos]
        self._learn_habits(viewers, rows, durations, surprise)

    def rows_of(self, viewer: int, videos: Ints, surface: int) -> Longs:
        """Return the rows of effects that a viewer's impressions of videos touch."""
        viewers, surfaces = np.array([viewer], np.int32), np.array([surface])
        return self.effects.rows(self._things(viewers, videos, surfaces, 0))

    def habits_of(self, viewer: int) -> dict[str, Any]:
        """Return what is kept of how a viewer watches."""
        return {
            "last_watch_ms": int(self._last_ms[viewer]),
            "last_surface": int(self._last_surface[viewer]),
            "watches_this_session": int(self._session[viewer]),
            "latest_surprises": [round(float(value), 4) for value in self._surprise[viewer]],
            "means_of_what_was_shown": [round(float(value), 4) for value in self._shown[viewer]],
            "watches_counted": float(self._shown_count[viewer]),
        }

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays beside the columns."""
        net, arrays = self._net.save()
        effects, tables = self.effects.save()
        arrays |= tables | self.watch_times.save()[1]
        arrays["heads.shown_all"] = self._shown_all
        return {"net": net, "effects": effects, "shown_all_count": self._shown_all_count}, arrays

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._net.load(header["net"], arrays)
        self.effects.load(header["effects"], arrays)
        self.watch_times.load({}, arrays)
        self._shown_all[...] = arrays["heads.shown_all"]
        self._shown_all_count = float(header["shown_all_count"])

    def _things(self, viewers: Ints, videos: Ints, surfaces: Longs, at_ms: int) -> Things:
        table = self._catalogue.videos
        return Things(
            viewer_key=self._viewers.key[viewers],
            video_id=table.ids[videos],
            creator_id=self._catalogue.creators.ids[table.creator[videos]],
            topic_id=self._catalogue.tags.ids[table.tags[videos, 0]],
            duration_bucket=bucket_of(table.duration_ms[videos]),
            surface=surfaces,
            hour=at_ms // HOUR_MS % 24,
        )

    def _habits(self, viewers: Ints, surfaces: Longs, at_ms: int) -> Floats:
        last_ms = self._last_ms[viewers]
        first = last_ms == 0
        gap_s = np.where(first, 1e6, np.minimum((at_ms - last_ms) / 1000, 1e6))
        gap_s = np.maximum(gap_s, 0)
        session = np.where(gap_s < SESSION_S, self._session[viewers], 0)
        count = self._shown_count[viewers]
        shown = (self._shown[viewers] - self._shown_all) * (count / (count + 5))[:, None]
        angle = np.full(len(viewers), at_ms / HOUR_MS % 24 * np.pi / 12)
        moment = [
            0.2 * np.log1p(gap_s),
            0.2 * np.log(60 + gap_s),
            gap_s < 0.5,
            gap_s < 60,
            gap_s < 600,
            first,
            self._last_surface[viewers] == surfaces,
            0.5 * np.log1p(session),
            session > 0,
            np.sin(angle),
            np.cos(angle),
        ]
        return np.concatenate(
            [2 * self._surprise[viewers], 2 * shown, np.stack(moment, axis=1)],
            axis=1,
            dtype=np.float32,
        )

    def _learn_habits(self, viewers: Ints, rows: Longs, durations: Longs, surprise: Floats) -> None:
        weight, precision = self.effects.of(rows[:, NUMBER["video"]])
        properties = np.stack(
            [
                2 * weight[:, 0],
                0.3 * np.log1p(precision[:, 0]),
                weight[:, 3],
                _length(durations),
                durations <= 0,
            ],
            axis=1,
        ).astype(np.float32)
        kept = np.float32(SURPRISE_KEPT)
        self._surprise[viewers] = kept * self._surprise[viewers] + (1 - kept) * surprise
        count = np.minimum(self._shown_count[viewers] + 1, SHOWN_BACK)
        self._shown_count[viewers] = count
        self._shown[viewers] += (properties - self._shown[viewers]) / count[:, None]
        self._shown_all_count = min(self._shown_all_count + len(rows), SHOWN_ALL_BACK)
        share = np.float32(len(rows) / self._shown_all_count)
        self._shown_all += (properties.mean(axis=0) - self._shown_all) * share


def _length(durations: Array) -> Floats:
    result: Floats = (0.3 * np.log(np.maximum(durations, 1000) / 1000)).astype(np.float32)
    return result


def _each(values: Floats, count: int) -> Floats:
    """Return values of shape (n, k) or (1, k) with n = count."""
    return np.broadcast_to(values, (count, values.shape[1]))
