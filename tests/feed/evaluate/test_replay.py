"""Predict first, then learn: nothing of the future reaches a prediction."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.feed.evaluate.factory import (
    BEGIN_MS,
    Mean,
    events,
    history,
    real_log,
    videos,
    write_log,
)

from reelm.feed.evaluate import Evaluation, FolderReplay, Log, metrics
from reelm.feed.evaluate.item_knn import ItemKnn
from reelm.feed.evaluate.popularity import DecayedPopularity
from reelm.feed.signals import Kind
from reelm.foundation.errors import Invalid


def run(ranker, folder, score_from_ms=0, **files):
    evaluation = Evaluation(ranker, FolderReplay(Log(folder)), score_from_ms)
    for _ in evaluation.steps(**files):
        pass
    return evaluation.report


def event(user, video, second, *, long_view, **more):
    return {
        "user_id": user,
        "video_id": video,
        "time_ms": BEGIN_MS + 1000 * second,
        "play_time_ms": 20_000 if long_view else 1000,
        "duration_ms": 20_000,
        "surface": 0,
        "long_view": int(long_view),
        **more,
    }


def test_a_log_made_by_hand_gives_the_measures_worked_out_by_hand(tmp_path):
    rows = [
        event(0, 0, 0, long_view=True),  # warm-up: video 0 has 2/3 from here on, the others 1/2
        event(1, 0, 1, long_view=True),  # said 2/3, first of 3; then it has 3/4
        event(1, 2, 2, long_view=False),  # said 1/2, not ranked; then it has 1/3
        event(2, 1, 3, long_view=True),  # said 1/2, second of 3; then it has 2/3
        event(1, 0, 4, long_view=True),  # said 3/4, a repeat: not ranked; then it has 4/5
        event(2, 2, 5, long_view=True),  # said 1/3; 0 is before it, 1 is left out: second
    ]
    folder = write_log(tmp_path / "log", rows, videos(3))
    report = run(Mean(), folder, BEGIN_MS + 1000)
    assert (report.events, report.warmup_events) == (6, 1)
    assert (report.scored_events, report.ranked_events) == (5, 3)
    assert report.recall_at_20 == 1.0
    assert report.ndcg_at_10 == pytest.approx((1 + 2 / np.log2(3)) / 3)
    assert report.log_loss == pytest.approx(-np.log(2 / 3 * 1 / 2 * 1 / 2 * 3 / 4 * 1 / 3) / 5)
    # The one that was not long had 1/2: below 2/3 and 3/4, equal to 1/2, above 1/3.
    assert report.auc == report.xauc == (2 + 0.5) / 4


def test_what_was_watched_long_before_is_left_out_of_the_ranking(tmp_path):
    rows = [event(0, 3, 1, long_view=True), event(0, 1, 2, long_view=True)]
    past = [{"user_id": 0, "last_time_ms": 5, "long_watch_seq": [1, 2], "watch_seq": [5]}]
    ranker = Mean()
    report = run(ranker, write_log(tmp_path / "log", rows, videos(6), past))
    assert ranker.asked == [(1, 4, BEGIN_MS + 1000, frozenset({2, 3}))]
    assert report.ranked_events == 1


def test_the_ranker_gets_every_signal_once_in_order(tmp_path):
    ranker = Mean()
    run(ranker, write_log(tmp_path / "log", history_rows=history()), BEGIN_MS)
    assert [signal.seq for signal in ranker.signals] == list(range(1, len(ranker.signals) + 1))
    times = [signal.at_ms for signal in ranker.signals]
    assert times == sorted(times)
    kinds = [signal.kind for signal in ranker.signals]
    assert kinds.count(Kind.WATCH) == kinds.count(Kind.IMPRESSION) == len(events())
    assert kinds.count(Kind.PAST_WATCH) == 3 * len(history())


def test_a_video_the_folder_does_not_tell_of_is_known_once_it_is_shown(tmp_path):
    rows = [event(0, 99, 1, long_view=True), event(1, 99, 2, long_view=True)]
    ranker = Mean()
    report = run(ranker, write_log(tmp_path / "log", rows, videos(3)))
    assert (report.events, report.ranked_events) == (2, 2)
    assert ranker.videos[100].duration_ms == 20_000


def test_a_duration_of_zero_is_no_error(tmp_path):
    rows = [{**row, "duration_ms": 0} for row in events(50)]
    assert run(Mean(), write_log(tmp_path / "log", rows)).scored_events == 50


def test_scoring_after_the_last_event_is_refused(tmp_path):
    with pytest.raises(Invalid, match="nothing would be scored"):
        run(Mean(), write_log(tmp_path / "log", events(5)), BEGIN_MS * 2)


def test_one_event_leaves_what_cannot_be_told_open(tmp_path):
    report = run(Mean(), write_log(tmp_path / "log", [event(0, 1, 1, long_view=False)]))
    assert (report.recall_at_20, report.ndcg_at_10, report.auc, report.xauc) == (None,) * 4
    assert report.log_loss == pytest.approx(np.log(2))


def test_a_prediction_that_is_no_probability_is_an_error(tmp_path):
    class Wrong(Mean):
        def share(self, video_id):
            return float("nan") if self.signals else super().share(video_id)

    with pytest.raises(ValueError, match="no probability"):
        run(Wrong(), write_log(tmp_path / "log", events(5)))


class Peeking(Mean):
    """A cheat: it has read the whole log before, and divides by what it found there."""

    def __init__(self, folder) -> None:
        super().__init__()
        whole = pq.read_table(folder / "events.parquet")["long_view"].to_numpy()
        self._whole = whole.mean()

    def share(self, video_id):
        return super().share(video_id) * (0.9 + 0.1 * self._whole)


def halves(tmp_path, make, rows, video_rows=None, past=None):
    """Return the predictions on a log and on its first half, as bytes."""
    written = []
    for name, part in (("whole", rows), ("half", rows[: len(rows) // 2])):
        folder = write_log(tmp_path / name, part, video_rows, past)
        run(make(folder), folder, rows[10]["time_ms"], predictions=tmp_path / f"{name}.csv")
        written.append((tmp_path / f"{name}.csv").read_bytes())
    return written


@pytest.mark.parametrize("make", [Mean, ItemKnn, DecayedPopularity])
def test_predictions_on_half_a_log_are_the_first_half_byte_for_byte(tmp_path, make):
    whole, half = halves(tmp_path, lambda folder: make(), events(), videos(), history())
    assert half.count(b"\n") == len(events()) // 2 - 10 + 1
    assert whole.startswith(half)


def test_a_ranker_that_peeks_at_the_future_is_caught(tmp_path):
    whole, half = halves(tmp_path, Peeking, events(), videos(), history())
    assert not whole.startswith(half)


def test_every_measure_can_be_recomputed_from_the_predictions_file(tmp_path):
    folder = write_log(tmp_path / "log", history_rows=history())
    report = run(ItemKnn(), folder, BEGIN_MS + 10_000_000, predictions=tmp_path / "said.parquet")
    said = pq.read_table(tmp_path / "said.parquet").to_pydict()
    rows = [events()[at] for at in said["event"]]
    assert [row["video_id"] for row in rows] == said["video_id"]
    assert len(rows) == report.scored_events < report.events
    labels = np.array([row["long_view"] for row in rows])
    played = np.array([row["play_time_ms"] for row in rows])
    ranks = np.array([rank for rank in said["rank"] if rank is not None])
    assert metrics.auc(labels, np.array(said["probability"])) == report.auc
    assert metrics.log_loss(labels, np.array(said["probability"])) == report.log_loss
    assert metrics.xauc(played, np.array(said["watch_score"])) == report.xauc
    assert metrics.recall(ranks) == report.recall_at_20
    assert metrics.ndcg(ranks) == report.ndcg_at_10


def test_a_csv_holds_the_same_as_a_parquet_file(tmp_path):
    folder = write_log(tmp_path / "log")
    for name in ("said.csv", "said.parquet"):
        run(Mean(), folder, predictions=tmp_path / name)
    with (tmp_path / "said.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    kept = pq.read_table(tmp_path / "said.parquet").to_pylist()
    assert [float(row["probability"]) for row in read] == [row["probability"] for row in kept]
    assert [row["rank"] for row in read] == [str(row["rank"] or "") for row in kept]


def test_a_run_that_fails_leaves_no_file_and_the_earlier_one_as_it_was(tmp_path):
    rows = events(50)
    rows[40]["time_ms"] = 1
    folder = write_log(tmp_path / "log", rows)
    target = tmp_path / "said.csv"
    target.write_text("earlier")
    with pytest.raises(Invalid):
        run(Mean(), folder, predictions=target)
    assert target.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "said.csv"]


def test_the_predictions_of_real_views_do_not_change_when_the_log_is_cut(tmp_path):
    folder = real_log()
    if folder is None:
        pytest.skip("KuaiRand-Pure is not there: set REELM_KUAIRAND to its folder.")
    rows = pq.read_table(folder / "events.parquet").slice(0, 6000).to_pylist()
    found = pq.read_table(folder / "videos.parquet").to_pylist()
    past = pq.read_table(folder / "history.parquet").slice(0, 500).to_pylist()
    whole, half = halves(tmp_path, lambda folder: ItemKnn(), rows, found, past)
    assert half.count(b"\n") == 2991
    assert whole.startswith(half)
