"""All that is held about one viewer, in plain words and numbers, for the viewer to read."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reelm.feed.ranker.effects import KINDS
from reelm.feed.ranker.heads import HEADS
from reelm.feed.ranker.model import Model
from reelm.feed.ranker.rows import NONE, Array, Ints

TARGETS = ("long_view", "watch_quantile", "skip", "like")


def known_of(model: Model, viewer_id: int) -> dict[str, Any]:
    """Return all that is held about one viewer; empty for one of whom nothing is known."""
    viewer = model.viewers.find(viewer_id)
    if viewer == NONE:
        return {}
    profile = model.relevance.profile(viewer)
    return {
        "last_active_ms": int(model.viewers.used_ms[viewer]),
        "seen": _ids(model, model.seen.oldest(viewer)),
        "watched_lately": _ids(model, model.viewers.recent(viewer)),
        "watched_long_or_liked_lately": _ids(model, model.viewers.recent_long(viewer)),
        "leaning_to_topics": _leanings(model, viewer, model.catalogue.videos.tags, _tag),
        "leaning_to_creators": _leanings(model, viewer, model.catalogue.videos.creator, _creator),
        "interest_vector": [round(value, 5) for value in profile.interest.tolist()],
        "hidden": {
            kind: [str(number) for number in sorted(numbers)]
            for kind, numbers in model.viewers.hidden.get(viewer, {}).items()
        },
        "habits": model.heads.habits_of(viewer),
        "effects": _effects(model, viewer),
        "awaiting_outcome": _pending(model, viewer),
    }


def _ids(model: Model, rows: Ints) -> list[str]:
    return [str(number) for number in model.catalogue.videos.ids[rows].tolist()]


def _tag(model: Model, row: int) -> tuple[int, str]:
    return int(model.catalogue.tags.ids[row]), model.catalogue.tags.text.get(row, "")


def _creator(model: Model, row: int) -> tuple[int, str]:
    number = int(model.catalogue.creators.ids[row])
    return number, str(number)


def _leanings(
    model: Model, viewer: int, column: Array, name: Callable[[Model, int], tuple[int, str]]
) -> dict[str, float]:
    """Return the leanings to hashtags or creators of all that the viewer was shown."""
    rows = np.union1d(model.viewers.recent(viewer), model.seen.oldest(viewer)).astype(np.int32)
    named = [name(model, row) for row in np.unique(column[rows]).tolist() if row != NONE]
    leaning = model.leanings.to(viewer, np.array([number for number, _ in named], np.int64))
    return {
        text: round(amount, 4)
        for (_, text), amount in zip(named, leaning.tolist(), strict=True)
        if amount
    }


def _effects(model: Model, viewer: int) -> list[dict[str, Any]]:
    """Return the rows that are the viewer's, found by way of the videos watched and shown."""
    rows = np.union1d(model.viewers.recent(viewer), model.seen.oldest(viewer)).astype(np.int32)
    if not len(rows):
        return []
    found = dict[int, dict[str, Any]]()
    for surface in range(model.popularity.total_shown.shape[1]):
        if not model.popularity.total_shown[0, surface] and surface:
            continue
        table = model.heads.rows_of(viewer, rows, surface)
        weights, precision = model.heads.effects.of(table)
        for number, kind in enumerate(KINDS):
            if not kind.name.startswith("viewer"):
                continue
            for place in range(len(rows)):
                if precision[place, number].any():
                    weight = [round(float(w), 4) for w in weights[place, number]]
                    found[int(table[place, number])] = {
                        "kind": kind.name,
                        "weights": dict(zip(TARGETS, weight, strict=True)),
                    }
    return list(found.values())


def _pending(model: Model, viewer: int) -> list[dict[str, Any]]:
    videos = model.catalogue.videos
    return [
        {
            "video_id": str(videos.ids[model.pending.video(slot)]),
            "features": [round(float(value), 4) for value in model.pending.features[slot]],
            "propensity": round(float(model.pending.propensity[slot]), 4),
            "outcome": dict(zip(HEADS, model.pending.outcomes[slot].tolist(), strict=True)),
        }
        for slot in model.pending.of(viewer)
    ]
