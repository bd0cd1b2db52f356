"""How much videos are shown and watched long, in counts that fade.

Forward decay (Cormode and others, ICDE 2009): an event at time t adds 2^((t - origin) / half-life),
and a count read at a later time is divided by the same of that time. So nothing has to be touched
to fade, and the origin is moved up every few days before numbers grow too large.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.catalogue import Videos
from reelm.feed.ranker.rows import Array, Ints
from reelm.feed.signals import SURFACES

Floats = npt.NDArray[np.float32]
HOUR_MS = 3_600_000.0
# Impressions over six hours and a day, by surface and over all; long views over a day and a month.
SHOWN_HALF_LIVES_MS = np.array([6 * HOUR_MS, 24 * HOUR_MS])
LONG_HALF_LIVES_MS = np.array([24 * HOUR_MS, 30 * 24 * HOUR_MS])
# Doublings of the shortest half-life before the origin moves: 2^20 leaves float32 exact enough.
MOST_DOUBLINGS = 20.0
# How many events of the wider count weigh as much as the narrower one's own: a surface is shrunk
# to all surfaces, these to the month's long views, and those to all videos alike.
SHRINK_SHOWN, SHRINK_LONG, SHRINK_ALL = 30.0, 50.0, 0.5
MOST_MOVED = 1_000


class Popularity:
    """Fading counts by video."""

    def __init__(self, videos: Videos) -> None:
        self._videos = videos
        self.shown = [videos.column(f"shown_{n}", np.float32, SURFACES) for n in range(2)]
        self.shown_all = [videos.column(f"shown_all_{n}", np.float32) for n in range(2)]
        self.long = [videos.column(f"long_{n}", np.float32) for n in range(2)]
        self.total_shown = np.zeros((2, SURFACES))
        self.total_shown_all = np.zeros(2)
        self.total_long = np.zeros(2)
        self.origin_ms = 0.0
        # Rows whose place may have changed since somebody looked; not part of the state.
        self.moved: list[Ints] = []

    def add_shown(self, rows: Ints, surfaces: Array, at_ms: int) -> None:
        """Count impressions."""
        for n, gain in enumerate(self._gains(SHOWN_HALF_LIVES_MS, at_ms)):
            np.add.at(self.shown[n], (rows, surfaces), np.float32(gain))
            np.add.at(self.shown_all[n], rows, np.float32(gain))
            np.add.at(self.total_shown[n], surfaces, gain)
            self.total_shown_all[n] += gain * len(rows)

    def add_long(self, rows: Ints, at_ms: int) -> None:
        """Count long views."""
        self.moved.append(rows)
        if len(self.moved) >= MOST_MOVED:
            self.moved[:] = [np.unique(np.concatenate(self.moved))]
        for n, gain in enumerate(self._gains(LONG_HALF_LIVES_MS, at_ms)):
            np.add.at(self.long[n], rows, np.float32(gain))
            self.total_long[n] += gain * len(rows)

    def features(self, rows: Ints, surface: int, at_ms: int) -> list[Floats]:
        """Return logs of shares: impressions here (6 h, a day) and long views (a day, a month)."""
        day, month = self._long_shares(rows, at_ms)
        result = []
        for n, gain in enumerate(self._gains(SHOWN_HALF_LIVES_MS, at_ms)):
            everywhere = _shrunk(
                self.shown_all[n][rows], self.total_shown_all[n], gain, month, SHRINK_SHOWN
            )
            here = _shrunk(
                self.shown[n][rows, surface],
                self.total_shown[n][surface],
                gain,
                everywhere,
                SHRINK_SHOWN,
            )
            result.append(np.log(here))
        return [*result, np.log(day), np.log(month)]

    def now(self, rows: Ints, at_ms: int) -> Floats:
        """Return the share of each in what is watched long now."""
        return self._long_shares(rows, at_ms)[0]

    def shown_share(self, rows: Ints, at_ms: int) -> Floats:
        """Return the share of each in what was shown over a day or so."""
        gain = self._gains(SHOWN_HALF_LIVES_MS, at_ms)[1]
        total = max(self.total_shown_all[1] / gain, 1e-9)
        share: Floats = (self.shown_all[1][rows] / (gain * total)).astype(np.float32)
        return share

    def settle(self, at_ms: int) -> None:
        """Move the origin up once counts have grown large; part of learning, never of reading."""
        if self.origin_ms == 0.0:
            self.origin_ms = float(at_ms)
        doublings = (at_ms - self.origin_ms) / SHOWN_HALF_LIVES_MS[0]
        if doublings <= MOST_DOUBLINGS:
            return
        top = self._videos.top
        shown = self._gains(SHOWN_HALF_LIVES_MS, at_ms)
        for n, gain in enumerate(shown):
            self.shown[n][:top] /= np.float32(gain)
            self.shown_all[n][:top] /= np.float32(gain)
            self.total_shown[n] /= gain
            self.total_shown_all[n] /= gain
        for n, gain in enumerate(self._gains(LONG_HALF_LIVES_MS, at_ms)):
            self.long[n][:top] /= np.float32(gain)
            self.total_long[n] /= gain
        self.origin_ms = float(at_ms)

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays beside the columns."""
        arrays = {
            "popularity.shown": self.total_shown,
            "popularity.shown_all": self.total_shown_all,
            "popularity.long": self.total_long,
        }
        return {"origin_ms": self.origin_ms}, arrays

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self.origin_ms = float(header["origin_ms"])
        self.total_shown[...] = arrays["popularity.shown"]
        self.total_shown_all[...] = arrays["popularity.shown_all"]
        self.total_long[...] = arrays["popularity.long"]

    def _long_shares(self, rows: Ints, at_ms: int) -> tuple[Floats, Floats]:
        day, month = self._gains(LONG_HALF_LIVES_MS, at_ms)
        even = np.full(len(rows), 1.0 / max(len(self._videos), 1), np.float32)
        prior = SHRINK_ALL * max(len(self._videos), 1)
        monthly = _shrunk(self.long[1][rows], self.total_long[1], month, even, prior)
        daily = _shrunk(self.long[0][rows], self.total_long[0], day, monthly, SHRINK_LONG)
        return daily, monthly

    def _gains(self, half_lives_ms: Array, at_ms: int) -> list[float]:
        origin_ms = self.origin_ms or at_ms
        doublings = np.clip((at_ms - origin_ms) / half_lives_ms, -60.0, 60.0)
        gains: list[float] = np.exp2(doublings).tolist()
        return gains


def _shrunk(count: Array, total: float, gain: float, wider: Floats, weight: float) -> Floats:
    """Return shares of a fading count, drawn towards the wider shares."""
    share = (count / np.float32(gain) + np.float32(weight) * wider) / np.float32(
        total / gain + weight
    )
    result: Floats = share.astype(np.float32, copy=False)
    return result
