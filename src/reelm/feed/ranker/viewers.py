"""What is known of each viewer: recent videos, what is hidden, and how they watch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Videos
from reelm.feed.ranker.rows import NONE, Array, Ints, Table
from reelm.feed.ranker.sizes import Sizes

# Videos remembered as context: the last watched at all, and the last watched long or liked
# (shared, commented on, followed for).
WATCHED, LONG = 32, 64
Mask = npt.NDArray[np.bool_]


class Viewers(Table):
    """Viewers, with rings of recent videos."""

    def __init__(self, sizes: Sizes, videos: Videos) -> None:
        super().__init__("viewers", sizes.viewers)
        # Under this number the model keeps what it learns of the viewer elsewhere.
        self.key = self.column("key", np.int64)
        self.watched = self.column("watched", np.int32, WATCHED, fill=NONE)
        self.watched_long = self.column("watched_long", np.bool_, WATCHED)
        self.watched_count = self.column("watched_count", np.int32)
        self.long = self.column("long", np.int32, LONG, fill=NONE)
        self.long_count = self.column("long_count", np.int32)
        # kind -> ids that the viewer does not want to see; few people hide anything.
        self.hidden: dict[int, dict[str, set[int]]] = {}
        self.on_clear(self._forget_hidden)
        videos.on_clear(self._unlink)

    def recent(self, viewer: int) -> Ints:
        """Return the rows of the videos that a viewer watched last, oldest first."""
        return _unrolled(self.watched[viewer], int(self.watched_count[viewer]))

    def recent_long(self, viewer: int) -> Ints:
        """Return the rows of the videos that a viewer watched long last, oldest first."""
        return _unrolled(self.long[viewer], int(self.long_count[viewer]))

    def latest(self, viewers: Ints, count: int) -> Ints:
        """Return the last videos that each viewer watched, shape (n, count), NONE where fewer."""
        places = self.watched_count[viewers, None] - 1 - np.arange(count)
        rows: Ints = self.watched[viewers[:, None], places % WATCHED]
        rows[places < 0] = NONE
        return rows

    def latest_long(self, viewer: int, count: int) -> Mask:
        """Return of the last watches of one viewer whether they were long."""
        known = min(int(self.watched_count[viewer]), count)
        places = (self.watched_count[viewer] - 1 - np.arange(known)) % WATCHED
        long: Mask = self.watched_long[viewer, places]
        return long

    def add_watched(self, viewers: Ints, videos: Ints, long: Mask) -> Mask:
        """Note a watch of each of different viewers; return which videos were not recent ones."""
        new: Mask = ~(self.watched[viewers] == videos[:, None]).any(axis=1)
        viewers = viewers[new]
        places = self.watched_count[viewers] % WATCHED
        self.watched[viewers, places] = videos[new]
        self.watched_long[viewers, places] = long[new]
        self.watched_count[viewers] += 1
        return new

    def add_long(self, viewers: Ints, videos: Ints) -> None:
        """Note a long view, or another liking, of each of different viewers."""
        new = ~(self.long[viewers] == videos[:, None]).any(axis=1)
        viewers = viewers[new]
        self.long[viewers, self.long_count[viewers] % LONG] = videos[new]
        self.long_count[viewers] += 1

    def take_back(self, viewer: int, video: int) -> None:
        """Forget one video, as if it had not been watched."""
        for ring in (self.watched[viewer], self.long[viewer]):
            ring[ring == video] = NONE

    def hide(self, viewer: int, kind: str, number: int) -> None:
        """Note that a viewer does not want to see this."""
        self.hidden.setdefault(viewer, {}).setdefault(kind, set()).add(number)

    def show(self, viewer: int, kind: str, number: int) -> None:
        """Take a hiding back."""
        self.hidden.get(viewer, {}).get(kind, set()).discard(number)

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header, with what is hidden, and arrays."""
        header, arrays = super().save()
        hidden = {
            str(viewer): {kind: sorted(numbers) for kind, numbers in sorted(kinds.items())}
            for viewer, kinds in sorted(self.hidden.items())
        }
        return {**header, "hidden": hidden}, arrays

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        super().load(header, arrays)
        self.hidden = {
            int(viewer): {str(kind): {int(n) for n in numbers} for kind, numbers in kinds.items()}
            for viewer, kinds in header["hidden"].items()
        }

    def _forget_hidden(self, rows: Ints) -> None:
        for row in rows.tolist():
            self.hidden.pop(row, None)

    def _unlink(self, rows: Ints) -> None:
        for column in (self.watched, self.long):
            used = column[: self.top]
            used[np.isin(used, rows)] = NONE


def _unrolled(ring: Ints, count: int) -> Ints:
    size = len(ring)
    rows = ring[:count] if count <= size else np.roll(ring, -(count % size))
    kept: Ints = rows[rows != NONE]
    return kept
