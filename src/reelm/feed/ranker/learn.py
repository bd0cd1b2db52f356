"""Learn from signals, in the order of the log.

A batch is worked on in rounds in which each viewer has one watch at most, and it comes last: all
impressions of a round are taken in at once, then all watches, and each viewer's state is that of
one signal after the other. Nothing is left for later but the net's next step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.batch import Told, columns_of, rounds
from reelm.feed.ranker.catalogue import number_of
from reelm.feed.ranker.heads import HEADS
from reelm.feed.ranker.model import Model
from reelm.feed.ranker.rows import NONE
from reelm.feed.signals import Kind, Signal

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
LIKE, SHARE_OR_FOLLOW, NOT_INTERESTED = (HEADS.index(n) for n in HEADS[3:])
# Which head an act belongs to.
HEAD_OF = {
    Kind.LIKE: LIKE,
    Kind.SHARE: SHARE_OR_FOLLOW,
    Kind.FOLLOW: SHARE_OR_FOLLOW,
    Kind.NOT_INTERESTED: NOT_INTERESTED,
    Kind.REPORT: NOT_INTERESTED,
    Kind.HIDE_CREATOR: NOT_INTERESTED,
    Kind.HIDE_HASHTAG: NOT_INTERESTED,
    Kind.HIDE_SOUND: NOT_INTERESTED,
}
# Acts that say as much for a video as watching it long.
FOND = {Kind.LIKE, Kind.SHARE, Kind.FOLLOW, Kind.COMMENT_OPENED, Kind.PROFILE_VISIT}
HIDES = {
    Kind.NOT_INTERESTED: "video",
    Kind.HIDE_CREATOR: "creator",
    Kind.HIDE_HASHTAG: "hashtag",
    Kind.HIDE_SOUND: "sound",
}
SHOWS = {Kind.SHOW_CREATOR: "creator", Kind.SHOW_HASHTAG: "hashtag", Kind.SHOW_SOUND: "sound"}
# Watched before a video, how many count as watched beside it.
NEAR = 8
# Where many watches come at once, the blend learns of one long view in so many watches, and the
# vectors of so many of a round: both follow slow things. Of what is brought along from elsewhere
# vectors learn all, so many at a time.
MANY, BLEND_EVERY, VECTORS, VECTORS_AT_ONCE = 16, 256, 24, 64
# Larger batches are cut: nothing learned in a round shows in it.
LARGEST = 1024


def learn(model: Model, batch: Sequence[Signal]) -> None:
    """Apply one batch of the log."""
    # Rows that a part names stay theirs until it is learned: tables have room for more.
    largest = min(LARGEST, model.sizes.viewers // 2, model.sizes.pending // 2)
    for part in _between_resets(batch):
        if part[0].kind == Kind.RESET:
            model.viewers.drop([part[0].viewer_id])
        for start in range(0, len(part), largest):
            signals = part[start : start + largest]
            for told in rounds(columns_of(model, signals)):
                if told.count:
                    _learn(model, told, signals)


def _between_resets(batch: Sequence[Signal]) -> Iterator[Sequence[Signal]]:
    """Cut a batch so that a reset begins its part."""
    cuts = [place for place, signal in enumerate(batch) if signal.kind == Kind.RESET]
    begin = 0
    for end in [*cuts, len(batch)]:
        if end > begin:
            yield batch[begin:end]
        begin = end


def _learn(model: Model, told: Told, signals: Sequence[Signal]) -> None:
    at_ms = signals[int(told.place[-1])].at_ms
    model.popularity.settle(at_ms)
    impressions = told.kind == Kind.IMPRESSION
    watches, past = told.kind == Kind.WATCH, told.kind == Kind.PAST_WATCH
    shown = [_show(model, told.where(impressions), at_ms)]
    for n in np.flatnonzero(~(impressions | watches | past)).tolist():
        _act(model, signals[int(told.place[n])], int(told.viewer[n]), int(told.video[n]))
    if watches.any():
        shown.append(_watch(model, told.where(watches), at_ms))
    if past.any():
        _recall(model, told.where(past), at_ms)
    for some in shown:
        # Last, or a video would seem popular for having just been shown to this viewer. What the
        # ranker gave out itself says nothing new: counted, it would follow itself.
        brought = some.where(~some.own)
        if brought.count:
            model.popularity.add_shown(brought.video, brought.surface, at_ms)


def _show(model: Model, told: Told, at_ms: int) -> Told:
    """Take in impressions, and return them."""
    if not told.count:
        return told
    viewers, videos = told.viewer, told.video
    features = model.heads.features(viewers, videos, told.surface, at_ms)
    slots = model.pending.add(viewers, videos, told.surface, told.propensity, told.own)
    model.pending.features[slots] = features
    model.seen.add(viewers, videos)
    model.catalogue.touch(videos, at_ms)
    np.add.at(model.catalogue.videos.impressions, videos, 1)
    creators = model.catalogue.videos.creator[videos]
    np.add.at(model.catalogue.creator_impressions, creators, 1)
    return told


def _watch(model: Model, told: Told, at_ms: int) -> Told:
    """Take in watches; return those that were not announced by an impression."""
    slots = model.pending.find(told.viewer, told.video)
    # Opened by its address, or shown so long ago that it was let go of.
    unannounced = told.where(slots == NONE)
    unannounced = replace(unannounced, propensity=np.ones(unannounced.count, np.float32))
    _show(model, unannounced, at_ms)
    if unannounced.count:
        slots = model.pending.find(told.viewer, told.video)
    kept = model.pending
    own, surfaces, outcomes = kept.own[slots], kept.surface[slots], kept.outcomes[slots]
    outcomes[:, 0] = told.long
    # First, while nothing has learned of these watches yet.
    _blend(model, told, surfaces, own, at_ms)
    features = kept.features[slots].astype(np.float32)
    model.heads.learn(told.viewer, told.video, surfaces, told.watched_ms, outcomes, features, at_ms)
    kept.outcomes[slots], kept.learned[slots] = outcomes, True
    # Of what the ranker chose itself only the long views tell what goes with what.
    _relate(model, told, told.long | ~own, at_ms, VECTORS)
    model.catalogue.touch(told.video, at_ms)
    return unannounced


def _blend(model: Model, told: Told, surfaces: Longs, own: Mask, at_ms: int) -> None:
    """Learn what made long views likely."""
    before = model.vectors.watches
    lessons = (before + told.count) // BLEND_EVERY - before // BLEND_EVERY
    lessons = max(lessons, told.count < MANY)
    for place in np.flatnonzero(told.long)[:lessons].tolist():
        viewer, row = int(told.viewer[place]), int(told.video[place])
        if not (model.viewers.long[viewer] == row).any():
            is_own = bool(own[place])
            model.relevance.learn(viewer, row, int(surfaces[place]), at_ms, is_own=is_own)


def _relate(model: Model, told: Told, telling: Mask, at_ms: int, lessons: int) -> None:
    """Learn of the telling watches what is watched after what; vectors of so many at most."""
    table, viewers, rows = model.viewers, told.viewer, told.video
    model.popularity.add_long(rows[told.long], at_ms)
    contexts = table.watched[viewers]
    new = ~(contexts == rows[:, None]).any(axis=1) & (contexts != NONE).any(axis=1)
    some = np.flatnonzero(new & telling)
    if len(some):
        model.neighbours.add(rows[some], table.latest(viewers[some], NEAR), at_ms)
        if len(some) > lessons:
            some = some[np.linspace(0, len(some) - 1, lessons).astype(np.int64)]
        for start in range(0, len(some), VECTORS_AT_ONCE):
            these = some[start : start + VECTORS_AT_ONCE]
            model.vectors.learn(contexts[these], rows[these])
    model.vectors.remember(rows)
    first = table.add_watched(viewers, rows, told.long)
    model.neighbours.count(rows[first])
    table.add_long(viewers[told.long], rows[told.long])


def _act(model: Model, signal: Signal, viewer: int, row: int) -> None:
    """Take in what is neither an impression nor a watch; viewer and video as rows."""
    kind = Kind(signal.kind)
    if kind in HIDES:
        subject = str(signal.video_id) if kind == Kind.NOT_INTERESTED else signal.subject
        model.viewers.hide(viewer, HIDES[kind], _number(HIDES[kind], subject))
    elif kind in SHOWS:
        model.viewers.show(viewer, SHOWS[kind], _number(SHOWS[kind], signal.subject))
    if row == NONE:
        return
    if kind == Kind.FORGET_WATCH:
        model.viewers.take_back(viewer, row)
        return
    viewers, videos = np.array([viewer], np.int32), np.array([row], np.int32)
    if kind in FOND:
        model.viewers.add_long(viewers, videos)
    slots = model.pending.find(viewers, videos)
    if slots[0] == NONE or kind not in HEAD_OF:
        return
    model.pending.outcomes[slots, HEAD_OF[kind]] = 1
    if model.pending.learned[slots[0]]:
        # It came after the watch was told: the same impression once more, with what is known now.
        features = model.pending.features[slots].astype(np.float32)
        model.heads.correct(features, model.pending.outcomes[slots])


def _recall(model: Model, told: Told, at_ms: int) -> None:
    model.heads.recall(told.viewer, told.video, told.long)
    model.seen.add(told.viewer, told.video)
    # What was shown beside it, and how popular that was, nobody knows: no lesson for the blend.
    _relate(model, told, np.ones(told.count, np.bool_), at_ms, told.count)


def _number(kind: str, subject: str) -> int:
    """Return the number under which a hidden thing is known."""
    if kind == "hashtag":
        return number_of(subject)
    return int(subject) if subject.isascii() and subject.isdigit() else 0
