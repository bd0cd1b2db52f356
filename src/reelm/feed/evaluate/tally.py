"""What was predicted and what came of it, kept as plain numbers until all is scored."""

from array import array
from dataclasses import dataclass, field

import msgspec
import numpy as np

from reelm.feed.evaluate import metrics
from reelm.feed.ranker import Prediction

# A six-hour window shows the course of a day; short logs get finer ones, long ones coarser.
WINDOW_MS = 6 * 3_600_000
FEWEST_WINDOWS, MOST_WINDOWS = 8, 60


class Scores(msgspec.Struct, frozen=True):
    """The measures of one model; null where no event allows to tell."""

    recall_at_20: float | None
    ndcg_at_10: float | None
    auc: float | None
    log_loss: float | None
    xauc: float | None


MEASURES = Scores.__struct_fields__


@dataclass
class Outcomes:
    """What came of the scored events, in their order."""

    time_ms: "array[int]" = field(default_factory=lambda: array("q"))
    long_view: "array[int]" = field(default_factory=lambda: array("b"))
    play_time_ms: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, time_ms: int, *, long_view: bool, play_time_ms: int) -> None:
        """Keep what came of one event."""
        self.time_ms.append(time_ms)
        self.long_view.append(long_view)
        self.play_time_ms.append(play_time_ms)


@dataclass
class Guesses:
    """What one model had said about them; a rank of 0 is none."""

    probability: "array[float]" = field(default_factory=lambda: array("d"))
    watch_ms: "array[float]" = field(default_factory=lambda: array("d"))
    rank: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, prediction: Prediction, rank: int) -> None:
        """Keep one prediction."""
        self.probability.append(prediction.long_view)
        self.watch_ms.append(prediction.watch_ms)
        self.rank.append(rank)


def score(outcomes: Outcomes, guesses: Guesses, part: slice = slice(None)) -> Scores:
    """Return the measures over all scored events or a part of them.

    Raises:
        ValueError: a prediction is not a probability, or a watch time not a number.
    """
    labels = np.frombuffer(outcomes.long_view, np.int8)[part]
    play_ms = np.frombuffer(outcomes.play_time_ms, np.int64)[part]
    probabilities = np.frombuffer(guesses.probability, np.float64)[part]
    watch_ms = np.frombuffer(guesses.watch_ms, np.float64)[part]
    ranks = np.frombuffer(guesses.rank, np.int64)[part]
    ranks = ranks[ranks > 0]
    if not (((probabilities >= 0) & (probabilities <= 1)).all() and np.isfinite(watch_ms).all()):
        raise ValueError("A model predicted what is no probability or no watch time.")
    return Scores(
        recall_at_20=metrics.recall(ranks),
        ndcg_at_10=metrics.ndcg(ranks),
        auc=metrics.auc(labels, probabilities),
        log_loss=metrics.log_loss(labels, probabilities),
        xauc=metrics.xauc(play_ms, watch_ms),
    )


def windows(outcomes: Outcomes) -> tuple[float, list[tuple[float, slice]]]:
    """Return the width in ms of equal windows of time, and each one's middle and events."""
    times = np.frombuffer(outcomes.time_ms, np.int64)
    if not len(times):
        return 0, []
    span_ms = int(times[-1] - times[0]) + 1
    count = min(max(round(span_ms / WINDOW_MS), FEWEST_WINDOWS), MOST_WINDOWS)
    edges = int(times[0]) + span_ms / count * np.arange(count + 1)
    ends = np.searchsorted(times, edges).tolist()
    ends[-1] = len(times)  # whatever rounding made of the last edge
    middles = ((edges[1:] + edges[:-1]) / 2).tolist()
    parts = ((middle, slice(*ends[at : at + 2])) for at, middle in enumerate(middles))
    return span_ms / count, [part for part in parts if part[1].start < part[1].stop]
