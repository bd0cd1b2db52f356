"""Learn from signals, in the order of the log.

A batch is worked on in rounds in which each viewer has one watch at most, and it comes last: all
impressions of a round are taken in at once, then all watches, and each viewer's state is that of
one signal after the other. Nothing is left for later but the net's next step.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import number_of
from reelm.feed.ranker.effects import PLACELESS
from reelm.feed.ranker.heads import HEADS
from reelm.feed.ranker.model import Model
from reelm.feed.ranker.rows import NONE, Ints
from reelm.feed.signals import SURFACES, Kind, Signal

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
# In a large batch the slower lessons are drawn from some of its watches, evenly: it takes long to
# gather one only when thousands watch, and then the next is soon there.
# Where many watches come at once, the blend learns of one long view in so many watches of a round,
# and the vectors of so many: both follow slow things. Of what is brought along from elsewhere
# vectors learn all, so many at a time.
BLEND_EVERY, VECTORS, VECTORS_AT_ONCE = 128, 24, 64
WATCHED = {Kind.WATCH, Kind.PAST_WATCH}
ELSEWHERE = {Kind.IMPRESSION, Kind.WATCH, Kind.PAST_WATCH, Kind.RESET}
# Larger batches are cut: nothing learned in a round shows in it.
LARGEST = 128


def learn(model: Model, batch: Sequence[Signal]) -> None:
    """Apply one batch of the log."""
    for start in range(0, len(batch), LARGEST):
        for signals in _rounds(batch[start : start + LARGEST]):
            _learn(model, signals)


def _learn(model: Model, signals: Sequence[Signal]) -> None:
    at_ms = signals[-1].at_ms
    model.popularity.settle(at_ms)
    for signal in signals:
        if signal.kind == Kind.RESET:
            model.viewers.drop([signal.viewer_id])
    shown = _show(model, [s for s in signals if s.kind == Kind.IMPRESSION], at_ms)
    for signal in signals:
        if signal.kind not in ELSEWHERE:
            _act(model, signal, at_ms)
    if watches := [s for s in signals if s.kind == Kind.WATCH]:
        shown += _watch(model, watches, at_ms)
    if past := [s for s in signals if s.kind == Kind.PAST_WATCH]:
        _recall(model, past, at_ms)
    if shown:
        # Last, or a video would seem popular for having just been shown to this viewer.
        rows, surfaces = np.array(shown).T
        model.popularity.add_shown(rows.astype(np.int32), surfaces, at_ms)


def _rounds(batch: Sequence[Signal]) -> Iterator[Sequence[Signal]]:
    """Yield each viewer's signals up to and with the first watch, then up to the second, and so on.

    A reset begins a round of its viewer.
    """
    rounds, reached = list[list[Signal]](), dict[int, int]()
    for signal in batch:
        number = reached.get(signal.viewer_id, 0)
        if signal.kind == Kind.RESET and signal.viewer_id in reached:
            number += 1
        while len(rounds) <= number:
            rounds.append([])
        rounds[number].append(signal)
        reached[signal.viewer_id] = number + (signal.kind in WATCHED)
    yield from rounds


def _show(model: Model, signals: Sequence[Signal], at_ms: int) -> list[tuple[int, int]]:
    """Take in impressions; return row and surface of those that others brought."""
    videos = model.catalogue.videos
    known = [(s, row) for s in signals if (row := videos.find(s.video_id)) != NONE]
    if not known:
        return []
    rows = np.array([row for _, row in known], np.int32)
    viewers = np.array([model.viewer(s.viewer_id, at_ms) for s, _ in known], np.int32)
    surfaces = np.array([s.surface % SURFACES for s, _ in known])
    features = model.heads.features(viewers, rows, surfaces, at_ms)
    slots = [
        model.pending.add(
            int(viewer), row, int(surface), signal.propensity, own=bool(signal.source)
        )
        for viewer, (signal, row), surface in zip(viewers, known, surfaces, strict=True)
    ]
    model.pending.features[slots] = features
    for viewer, row in zip(viewers.tolist(), rows.tolist(), strict=True):
        model.seen.add(viewer, row)
    videos.used_ms[rows] = at_ms
    np.add.at(videos.impressions, rows, 1)
    np.add.at(model.catalogue.creator_impressions, videos.creator[rows], 1)
    # What it gave out itself says nothing new: counted, the ranker would follow itself.
    return [
        (row, int(surface))
        for (signal, row), surface in zip(known, surfaces, strict=True)
        if not signal.source
    ]


def _watch(model: Model, signals: Sequence[Signal], at_ms: int) -> list[tuple[int, int]]:
    """Take in watches; return what `_show` does of those that were not announced."""
    videos = model.catalogue.videos
    known = [s for s in signals if videos.find(s.video_id) != NONE]
    unannounced = [
        s
        for s in known
        if model.pending.find(model.viewers.find(s.viewer_id), videos.find(s.video_id)) == NONE
    ]
    # Opened by its address, or shown so long ago that it was let go of.
    shown = _show(model, [s._replace(propensity=1.0) for s in unannounced], at_ms)
    if not known:
        return shown
    rows = videos.find_all(s.video_id for s in known)
    viewers = model.viewers.find_all(s.viewer_id for s in known)
    pairs = zip(viewers.tolist(), rows.tolist(), strict=True)
    slots = [model.pending.find(viewer, row) for viewer, row in pairs]
    outcomes = model.pending.outcomes[slots]
    outcomes[:, 0] = [s.long_view for s in known]
    long, kept = outcomes[:, 0] > 0, model.pending
    # First, while nothing has learned of these watches yet.
    _blend(model, viewers, rows, long, kept.surface[slots], kept.own[slots], at_ms)
    model.heads.learn(
        viewers,
        rows,
        model.pending.surface[slots],
        np.array([s.watched_ms for s in known]),
        outcomes,
        model.pending.features[slots].astype(np.float32),
        at_ms,
    )
    model.pending.outcomes[slots] = outcomes
    model.pending.learned[slots] = True
    _relate(model, viewers, rows, long, kept.own[slots], at_ms, VECTORS)
    videos.used_ms[rows] = at_ms
    return shown


def _blend(
    model: Model,
    viewers: Ints,
    rows: Ints,
    long: Mask,
    surfaces: Longs,
    own: Mask,
    at_ms: int,
) -> None:
    """Learn what made long views likely."""
    lessons = max(1, len(rows) // BLEND_EVERY)
    for place in np.flatnonzero(long)[:lessons].tolist():
        viewer, row = int(viewers[place]), int(rows[place])
        if not (model.viewers.long[viewer] == row).any():
            is_own = bool(own[place])
            model.relevance.learn(viewer, row, int(surfaces[place]), at_ms, is_own=is_own)


def _relate(
    model: Model,
    viewers: Ints,
    rows: Ints,
    long: Mask,
    own: Mask,
    at_ms: int,
    lessons: int,
) -> None:
    """Learn what is watched after what; vectors of so many watches at most."""
    table = model.viewers
    model.popularity.add_long(rows[long], at_ms)
    contexts = table.watched[viewers]
    new = ~(contexts == rows[:, None]).any(axis=1) & (contexts != NONE).any(axis=1)
    if new.any():
        model.neighbours.add(rows[new], table.latest(viewers[new], NEAR), at_ms)
        # Of what the ranker chose itself only the long views tell what goes with what.
        some = np.flatnonzero(new & (long | ~own))
        if len(some) > lessons:
            some = some[np.linspace(0, len(some) - 1, lessons).astype(np.int64)]
        for start in range(0, len(some), VECTORS_AT_ONCE):
            these = some[start : start + VECTORS_AT_ONCE]
            model.vectors.learn(contexts[these], rows[these])
    model.vectors.remember(rows)
    for viewer, row, is_long in zip(viewers.tolist(), rows.tolist(), long.tolist(), strict=True):
        if table.add_watched(viewer, row, long=is_long):
            model.neighbours.viewers[row] += 1
        if is_long:
            table.add_long(viewer, row)


def _act(model: Model, signal: Signal, at_ms: int) -> None:
    viewer = model.viewer(signal.viewer_id, at_ms)
    row = model.catalogue.videos.find(signal.video_id)
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
    if kind in FOND:
        model.viewers.add_long(viewer, row)
    slot = model.pending.find(viewer, row)
    if slot == NONE or kind not in HEAD_OF:
        return
    model.pending.outcomes[slot, HEAD_OF[kind]] = 1
    if model.pending.learned[slot]:
        # It came after the watch was told: the same impression once more, with what is known now.
        model.heads.correct(
            model.pending.features[slot : slot + 1].astype(np.float32),
            model.pending.outcomes[slot : slot + 1],
        )


def _recall(model: Model, signals: Sequence[Signal], at_ms: int) -> None:
    videos = model.catalogue.videos
    known = [s for s in signals if videos.find(s.video_id) != NONE]
    if not known:
        return
    rows = videos.find_all(s.video_id for s in known)
    viewers = np.array([model.viewer(s.viewer_id, at_ms) for s in known], np.int32)
    long = np.array([s.long_view for s in known])
    model.heads.recall(viewers, rows, long, PLACELESS)
    for viewer, row in zip(viewers.tolist(), rows.tolist(), strict=True):
        model.seen.add(viewer, row)
    own = np.zeros(len(rows), np.bool_)
    # What was shown beside it, and how popular that was, nobody knows: no lesson for the blend.
    _relate(model, viewers, rows, long, own, at_ms, len(rows))


def _number(kind: str, subject: str) -> int:
    """Return the number under which a hidden thing is known."""
    if kind == "hashtag":
        return number_of(subject)
    return int(subject) if subject.isascii() and subject.isdigit() else 0
