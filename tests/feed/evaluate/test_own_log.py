"""The region's own log under the same protocol."""

import time

import pyarrow.parquet as pq
import pytest
from tests.feed.evaluate.factory import Mean
from tests.feed.log.factory import Counting, shown, some_videos, watch
from tests.social.factory import make_account

from reelm.feed.evaluate import Evaluation, OwnReplay
from reelm.feed.holder import Holder
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Missing


@pytest.fixture
def log(parts):
    """Return a function that writes batches to the log, as the server does."""
    holder = Holder(parts, lambda state: Counting())
    holder.start()
    end = time.monotonic() + 20
    while holder.refusal is not None:
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    yield holder.observe
    holder.stop()


def evaluated(parts, ranker, **files):
    evaluation = Evaluation(ranker, OwnReplay(parts), 0)
    steps = list(evaluation.steps(**files))
    assert steps[-1] == evaluation.size
    return evaluation.report


def test_an_impression_is_predicted_before_anything_is_learnt_of_it(parts, log, tmp_path):
    _, (one, two, three) = some_videos(parts)
    with parts.transaction() as session:
        ana, ben = make_account(session), make_account(session)
    log([shown(ana, one), shown(ana, two), shown(ana, three)])
    log([Signal(ana, one, Kind.LIKE), watch(ana, one, long_view=True)])
    log([watch(ana, two, 100)])
    log([shown(ben, one), watch(ben, one, 9000, long_view=True)])
    log([watch(ben, one, 10, long_view=False)])  # again, unasked
    ranker = Mean()
    said = tmp_path / "said.parquet"
    report = evaluated(parts, ranker, predictions=said)
    assert (report.events, report.warmup_events, report.ranked_events) == (3, 0, 2)
    rows = pq.read_table(said).to_pylist()
    # All three of Ana's were asked about before the first watch; Ben's after both of hers.
    # The stand-in adds the surface, which is 0, to its watch time: 10 s by its probability.
    assert [row["probability"] for row in rows] == [0.5, 0.5, 2 / 3]
    assert [row["rank"] for row in rows] == [1, None, 1]
    assert len(ranker.signals) == 9


def test_viewers_are_numbers_in_what_is_written(parts, log, tmp_path):
    _, (one, two, _) = some_videos(parts)
    with parts.transaction() as session:
        ana, ben = make_account(session), make_account(session)
    log([shown(ben, one), watch(ben, one), shown(ana, one), watch(ana, one)])
    log([shown(ben, two), watch(ben, two)])
    said = tmp_path / "said.csv"
    evaluated(parts, Mean(), predictions=said)
    assert [line.split(",")[1] for line in said.read_text().splitlines()[1:]] == ["1", "2", "1"]
    assert str(ana) not in said.read_text()


def test_what_was_watched_long_before_is_no_target_until_a_reset(parts, log):
    _, (one, *_) = some_videos(parts)
    with parts.transaction() as session:
        ana = make_account(session)
    long_view = [shown(ana, one), watch(ana, one, long_view=True)]
    log(long_view)
    log(long_view)
    report = evaluated(parts, Mean())
    assert (report.events, report.ranked_events) == (2, 1)
    log([Signal(ana, 0, Kind.RESET)])
    log(long_view)
    report = evaluated(parts, Mean())
    assert (report.events, report.ranked_events) == (1, 1)


def test_an_empty_log_is_told(parts):
    with pytest.raises(Missing, match="nobody has watched anything yet"):
        OwnReplay(parts)
