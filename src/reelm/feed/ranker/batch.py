"""A batch of the log as columns: each viewer and video looked up once, for all that is learned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.model import Model
from reelm.feed.ranker.rows import NONE, Ints
from reelm.feed.signals import SURFACES, Kind, Signal

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
# Acts that count without a video.
WITHOUT_VIDEO = (
    Kind.HIDE_CREATOR,
    Kind.HIDE_HASHTAG,
    Kind.HIDE_SOUND,
    Kind.SHOW_CREATOR,
    Kind.SHOW_HASHTAG,
    Kind.SHOW_SOUND,
    Kind.NOT_INTERESTED,
)
WATCHED = (Kind.WATCH, Kind.PAST_WATCH)
_COUNTS_ALONE, _IS_WATCH = np.zeros((2, 256), np.bool_)
_COUNTS_ALONE[list(WITHOUT_VIDEO)] = _IS_WATCH[list(WATCHED)] = True


@dataclass(frozen=True)
class Told:
    """Signals as columns, each of shape (n,).

    Args:
        place: in the batch.
        kind: what was done.
        viewer: row of the viewer.
        video: row of the video, or NONE.
        surface: where the video was shown.
        watched_ms: of a watch, how long.
        long: of a watch, whether it was long.
        propensity: of an impression.
        own: of an impression, whether the ranker gave it out.
    """

    place: Longs
    kind: Longs
    viewer: Ints
    video: Ints
    surface: Longs
    watched_ms: Longs
    long: Mask
    propensity: Floats
    own: Mask

    @property
    def count(self) -> int:
        """How many signals these are."""
        return len(self.place)

    def where(self, chosen: Mask | Longs) -> Self:
        """Return some of the signals, in their order."""
        if chosen.dtype == np.bool_ and chosen.all():
            return self
        columns: dict[str, Any] = vars(self)
        return type(self)(**{name: column[chosen] for name, column in columns.items()})


def columns_of(model: Model, batch: Sequence[Signal]) -> Told:
    """Return the signals of a batch that name what is known; new viewers get their rows."""
    kind = _column([signal.kind for signal in batch], np.int64)
    video = model.catalogue.videos.find_all([signal.video_id for signal in batch])
    counts = (video != NONE) | _COUNTS_ALONE[kind]
    viewer = np.full(len(batch), NONE, np.int32)
    ids = [signal.viewer_id for signal in batch]
    if not counts.all():
        ids = list(compress(ids, counts.tolist()))
    viewer[counts] = model.viewers_of(ids, batch[-1].at_ms)
    told = Told(
        np.arange(len(batch)),
        kind,
        viewer,
        video,
        _column([signal.surface for signal in batch], np.int64) % SURFACES,
        _column([signal.watched_ms for signal in batch], np.int64),
        _column([signal.long_view for signal in batch], np.bool_),
        _column([signal.propensity for signal in batch], np.float32),
        _column([signal.source != "" for signal in batch], np.bool_),
    )
    return told.where(viewer != NONE)


def rounds(told: Told) -> Iterator[Told]:
    """Yield each viewer's signals up to and with the first watch, then up to the second, and so on.

    So no round has two watches of one viewer, and a watch comes last in its own.
    """
    is_watch = _IS_WATCH[told.kind]
    if np.count_nonzero(is_watch) < 1 or told.count < 2:
        yield told
        return
    order = np.argsort(told.viewer, kind="stable")
    viewer, watch = told.viewer[order], is_watch[order]
    before: Longs = np.cumsum(watch) - watch
    begins = np.concatenate([[True], viewer[1:] != viewer[:-1]])
    number = np.empty(told.count, np.int64)
    number[order] = before - before[begins][np.cumsum(begins) - 1]
    for n in range(int(number.max()) + 1):
        yield told.where(number == n)


def _column(values: list[Any], dtype: Any) -> Any:
    return np.fromiter(values, dtype, len(values))
