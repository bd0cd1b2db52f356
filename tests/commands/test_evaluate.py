"""`reelm evaluate` as an operator runs it."""

import csv
import re

import msgspec
import pytest
from tests.commands.factory import reelm
from tests.feed.evaluate.factory import BEGIN_MS, DAY_MS, events, history, videos, write_log

MEASURES = {"recall_at_20", "ndcg_at_10", "auc", "log_loss", "xauc", "events_per_s", "seconds"}
FROM = BEGIN_MS + DAY_MS // 2


@pytest.fixture
def folder(tmp_path):
    return write_log(tmp_path / "log", events(), videos(), history())


def test_one_json_line_has_the_measures_of_the_ranker_and_of_two_baselines(folder):
    ran = reelm("evaluate", folder, "--score-from", FROM, "--report", "json")
    assert ran.status == 0, ran.err
    assert ran.out.count("\n") == 1
    report = ran.json()
    assert MEASURES | {"events", "warmup_events"} <= report.keys()
    assert report["events"] == len(events())
    assert report["warmup_events"] == sum(row["time_ms"] < FROM for row in events())
    assert {name: set(found) for name, found in report["baselines"].items()} == {
        "decayed_popularity": MEASURES,
        "item_knn": MEASURES,
    }
    assert 0.5 < report["auc"] <= 1


def test_without_it_a_table_comes_first_and_the_line_last(folder, tmp_path):
    said, plot = tmp_path / "said.csv", tmp_path / "plot.svg"
    ran = reelm("evaluate", folder, "--score-from", FROM, "--predictions", said, "--plot", plot)
    *table, line = ran.out.splitlines()
    for word in ("recall@20", "ranker", "decayed popularity", "item knn", "400 events"):
        assert word in "\n".join(table)
    report = msgspec.json.decode(line)
    with said.open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + report["scored_events"]
    assert plot.read_text().startswith("<svg")


def test_predictions_of_the_class_that_serves_do_not_change_when_the_log_is_cut(tmp_path):
    written = []
    for name, rows in (("whole", events()), ("half", events()[:200])):
        log = write_log(tmp_path / name, rows, videos(), history())
        said = tmp_path / f"{name}.csv"
        assert reelm("evaluate", log, "--score-from", BEGIN_MS, "--predictions", said).status == 0
        written.append(said.read_bytes())
    whole, half = written
    assert half.count(b"\n") == 201
    assert whole.startswith(half)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--score-from", FROM, "--report", "xml"), "the only one is json"),
        (("--score-from", FROM, "--plot", "a.pdf"), "a .svg or a .png file"),
        (("--score-from", FROM, "--predictions", "a.txt"), "a .csv or a .parquet file"),
        (("--score-from", FROM * 2), "nothing would be scored"),
        (("--score-from", -1), "greater than or equal to 0"),
        (("--score-from", FROM, "--own-log"), "Give either the folder of a log, or --own-log"),
        ((), "Give --score-from, the time in ms since 1970 before which events are only learned"),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(folder, options, told):
    ran = reelm("evaluate", folder, *options)
    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_a_log_that_is_to_be_scored_from_nowhere_says_how_long_it_is_and_when_to_begin(folder):
    said = " ".join(reelm("evaluate", folder).err.split())
    first, last, example = map(int, re.findall(r"[0-9]{6,}", said))
    assert BEGIN_MS <= first < example < last
    assert reelm("evaluate", folder, "--score-from", example).status == 0


def test_a_wrong_folder_is_told_in_a_sentence(tmp_path):
    ran = reelm("evaluate", tmp_path / "none", "--score-from", 0)
    assert ran.status == 2
    assert "is not a folder" in ran.err
    assert "Give either" in reelm("evaluate", "--score-from", 0).err


def test_a_file_that_cannot_be_written_is_told(folder, tmp_path):
    said = tmp_path / "no such folder" / "said.csv"
    ran = reelm("evaluate", folder, "--score-from", FROM, "--predictions", said)
    assert ran.status == 2
    assert "No such file or directory" in ran.err


def test_an_own_log_without_watches_is_told(region):
    ran = reelm("evaluate", "--own-log", "--region", region, "--score-from", 0)
    assert ran.status == 2
    assert "The region's log is empty" in ran.err
