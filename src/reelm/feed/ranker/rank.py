"""Rank candidates: the score of each is the public weights times what the model expects."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.heads import HEADS, Speaking
from reelm.feed.ranker.model import Model
from reelm.feed.ranker.relevance import POPULAR, TASTE, VIEWS, Profile
from reelm.feed.ranker.rows import NONE, Ints
from reelm.feed.ranker.values import Prediction
from reelm.feed.weights import HEADS as PARTS

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
WEIGHTS = np.array([part.weight for part in PARTS], np.float32)
NAMES = tuple(part.name for part in PARTS)
# Keeps a log-odds finite.
LEAST = 1e-4
# Reasons kept of each pick.
REASONS = 5
# How the views of relevance are told in an explanation, where it is not one number.
TOLD = {
    "beside": ("beside",),
    "taste": ("taste",),
    "creator": ("creator_now", "creator"),
    "topic": ("topic_now", "topic"),
    "popular": (*(name for name, _ in VIEWS[:POPULAR]), "worth"),
}
# Of these the viewer's own doing is told, which has to be so.
_PERSONAL = [name != "popular" for name in TOLD]
_TOLD = np.array([[name in names for name, _ in VIEWS] for names in TOLD.values()], np.float32)
_OTHERS = [number for number, name in enumerate(NAMES) if name != "relevance"]
_REASONS = (*(NAMES[number] for number in _OTHERS), *TOLD)


@dataclass(frozen=True)
class Scores:
    """The scores of some videos for one viewer, with what they are made of.

    Args:
        rows: of the videos, shape (n,).
        parts: of the public table, shape (n, parts).
        total: weighted sum of the parts, shape (n,).
        views: of relevance, shape (views, n).
        promise: the total without the views that tell how popular a video is, shape (n,).
    """

    rows: Ints
    parts: Floats
    total: Floats
    views: Floats
    promise: Floats


def score(
    model: Model, profile: Profile, viewer: int, rows: Ints, *, surface: int, at_ms: int
) -> Scores:
    """Return the scores of videos for a viewer; `viewer` is a row, or NONE for a new one."""
    viewers, surfaces = np.array([viewer], np.int32), np.array([surface])
    leanings = model.leanings.of(viewers, rows)
    views = model.relevance.views(profile, rows, surface, at_ms, leanings)
    speaking = Speaking(leanings, views[TASTE])
    features = model.heads.features(viewers, rows, surfaces, at_ms, speaking)
    heads = model.heads.predict(features)
    likely = np.clip(heads[:, 0], LEAST, 1 - LEAST)
    watched_ms = model.heads.watch_times.watched_ms(heads[:, 1])
    durations = model.catalogue.videos.duration_ms[rows]
    part = {
        "relevance": model.relevance.blend(views, surface),
        "long_view": np.log(likely / (1 - likely)),
        "watch_share": model.heads.watch_times.quantile_of_its_length(watched_ms, durations),
        **{name: heads[:, n] for n, name in enumerate(HEADS) if n > 1},
    }
    parts = np.stack([part[name] for name in NAMES], axis=1)
    total = parts @ WEIGHTS
    known = model.relevance.weights(surface)[:POPULAR].astype(np.float32) @ views[:POPULAR]
    return Scores(rows, parts, total, views, total - WEIGHTS[NAMES.index("relevance")] * known)


def expect(model: Model, viewer: int, rows: Ints, *, surface: int, at_ms: int) -> Floats:
    """Return what the heads expect, shape (n, heads)."""
    viewers, surfaces = np.array([viewer], np.int32), np.array([surface])
    return model.heads.predict(model.heads.features(viewers, rows, surfaces, at_ms))


def prediction(model: Model, heads: Floats) -> Prediction:
    """Return what the heads expect of one impression, as plain numbers; shape (heads,)."""
    watch_ms = float(model.heads.watch_times.watched_ms(heads[1:2])[0])
    long_view, _, skip, like, share, not_interested = (float(value) for value in heads)
    return Prediction(long_view, watch_ms, like, share, skip, not_interested)


def reasons(
    model: Model, profile: Profile, scores: Scores, places: list[int], surface: int
) -> list[tuple[tuple[str, float], ...]]:
    """Return what speaks for some of the videos, and how much beside the middle of all of them.

    Names are those of the public table, but for relevance, which is told by its views: `popular`,
    `beside`, `taste`, `creator` and `topic:` with the hashtag. The strongest come first. What is
    told of the viewer is so: a topic or a creator speaks for a video only where the viewer has
    watched another of theirs long, or liked it.
    """
    parts = (scores.parts[places] - _middle(scores.parts.T)) * WEIGHTS
    weights = WEIGHTS[NAMES.index("relevance")] * model.relevance.weights(surface)
    views = scores.views[:, places].T
    told = ((views - _middle(scores.views)) * weights) @ _TOLD.T
    topics = model.leanings.strongest_tag(profile.viewer, scores.rows[places])
    may_speak = _may_speak(model, profile.viewer, scores.rows[places], topics)
    amount = (views * weights) @ _TOLD.T
    so = told.clip(np.minimum(amount, 0), np.maximum(amount, 0) * may_speak)
    told[:, _PERSONAL] = so[:, _PERSONAL]
    amounts = np.concatenate([parts[:, _OTHERS], told], axis=1)
    strongest = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :REASONS]
    amounts = np.take_along_axis(amounts, strongest, axis=1).round(4)
    result = []
    for topic, numbers, each in zip(
        topics.tolist(), strongest.tolist(), amounts.tolist(), strict=True
    ):
        names = [_REASONS[number] for number in numbers]
        if "topic" in names:
            text = model.catalogue.tags.text.get(topic, "")
            names[names.index("topic")] = f"topic:{text}"
        result.append(tuple(pair for pair in zip(names, each, strict=True) if pair[1]))
    return result


def _may_speak(model: Model, viewer: int, rows: Ints, topics: Ints) -> Mask:
    """Return which kinds of TOLD may be said to speak for each video, shape (n, kinds)."""
    long = model.viewers.recent_long(viewer)
    result = np.full((len(rows), len(TOLD)), len(long) > 0)
    videos, kinds = model.catalogue.videos, list(TOLD)
    result[:, kinds.index("topic")] = np.isin(topics, videos.tags[long]) & (topics != NONE)
    result[:, kinds.index("creator")] = np.isin(videos.creator[rows], videos.creator[long])
    return result


def _middle(values: Floats) -> Floats:
    """Return the median over the last axis (of an even number, the upper one of the two)."""
    half = values.shape[-1] // 2
    middle: Floats = np.partition(values, half, axis=-1)[..., half]
    return middle
