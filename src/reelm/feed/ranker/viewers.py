"""What is known of each viewer: recent videos, what is hidden, and how they watch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Videos
from reelm.feed.ranker.rows import NONE, Array, Ints, Table
from reelm.feed.ranker.sizes import Sizes

# Videos remembered as context: the last watched at all, and the last watched long.
WATCHED, LONG = 32, 64


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

    def latest_long(self, viewer: int, count: int) -> npt.NDArray[np.bool_]:
        """Return of the last watches of one viewer whether they were long."""
        known = min(int(self.watched_count[viewer]), count)
        places = (self.watched_count[viewer] - 1 - np.arange(known)) % WATCHED
        long: npt.NDArray[np.bool_] = self.watched_long[viewer, places]
        return long

    def add_watched(self, viewer: int, video: int, *, long: bool) -> bool:
        """Note a watch; return whether the video was not among the recent ones."""
        if (self.watched[viewer] == video).any():
            return False
        place = self.watched_count[viewer] % WATCHED
        self.watched[viewer, place], self.watched_long[viewer, place] = video, long
        self.watched_count[viewer] += 1
        return True

    def add_long(self, viewer: int, video: int) -> bool:
        """Note a long view; return whether the video was not among the recent ones."""
        if (self.long[viewer] == video).any():
            return False
        self.long[viewer, self.long_count[viewer] % LONG] = video
        self.long_count[viewer] += 1
        return True

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
