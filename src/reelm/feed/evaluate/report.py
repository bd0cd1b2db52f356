"""What an evaluation found, and how to run one."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from reelm.feed.evaluate.contest import Contest, Contestant
from reelm.feed.evaluate.item_knn import ItemKnn
from reelm.feed.evaluate.plot import check_plot_name, draw
from reelm.feed.evaluate.popularity import DecayedPopularity
from reelm.feed.evaluate.predictions import written
from reelm.feed.evaluate.replay import Replay
from reelm.feed.evaluate.serving import Serving
from reelm.feed.evaluate.tally import Scores, score
from reelm.foundation.errors import Invalid

RANKER = "ranker"


class Found(Scores, frozen=True, kw_only=True):
    """The measures of one model and its pace; `seconds` is the time spent in that model."""

    events_per_s: float
    seconds: float


class Report(Found, frozen=True, kw_only=True):
    """The ranker's measures and those of the baselines; `events` are all, with the warm-up's."""

    events: int
    warmup_events: int
    scored_events: int
    ranked_events: int
    total_seconds: float
    baselines: dict[str, Found]


class Evaluation:
    """One run: iterate `steps` to its end, then read the report."""

    def __init__(self, ranker: Serving, replay: Replay, score_from_ms: int) -> None:
        """Prepare a run.

        Raises:
            Invalid: no event would be scored.
        """
        if score_from_ms > replay.last_time_ms:
            raise Invalid(
                f"--score-from {score_from_ms} is after the last event, which is at"
                f" {replay.last_time_ms}: nothing would be scored."
            )
        self.size = replay.size
        self._models: Mapping[str, Serving] = {
            RANKER: ranker,
            "decayed_popularity": DecayedPopularity(),
            "item_knn": ItemKnn(),
        }
        self._replay = replay
        self._score_from_ms = score_from_ms
        self._report: Report | None = None

    @property
    def report(self) -> Report:
        """What was found.

        Raises:
            RuntimeError: the run has not come to its end.
        """
        if self._report is None:
            raise RuntimeError("The run has not come to its end.")
        return self._report

    def steps(self, *, predictions: Path | None = None, plot: Path | None = None) -> Iterator[int]:
        """Run, yielding how much is done of `size`; files are written when all is well.

        Raises:
            Invalid: the log is malformed, or a file's name has an ending that is not known.
        """
        began = time.perf_counter()
        if plot:
            check_plot_name(plot)
        with ExitStack() as stack:
            contest = Contest(self._models, stack.enter_context(written(predictions)))
            yield from self._replay.run(contest, self._score_from_ms)
        self._report = _result(contest, time.perf_counter() - began)
        if plot:
            contestants = contest.contestants.items()
            draw(plot, contest.outcomes, {name: one.guesses for name, one in contestants})


def _result(contest: Contest, total_seconds: float) -> Report:
    found = {name: _found(contest, one) for name, one in contest.contestants.items()}
    own = found.pop(RANKER)
    ranks = contest.contestants[RANKER].guesses.rank
    return Report(
        **msgspec.structs.asdict(own),
        events=contest.events,
        warmup_events=contest.events - len(ranks),
        scored_events=len(ranks),
        ranked_events=sum(rank > 0 for rank in ranks),
        total_seconds=round(total_seconds, 3),
        baselines=found,
    )


def _found(contest: Contest, contestant: Contestant) -> Found:
    scores = score(contest.outcomes, contestant.guesses)
    return Found(
        **msgspec.structs.asdict(scores),
        events_per_s=round(contest.events / max(contestant.seconds, 1e-9), 1),
        seconds=round(contestant.seconds, 3),
    )
