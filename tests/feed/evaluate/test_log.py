"""A malformed folder is told in one sentence with file, row and column."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.feed.evaluate.factory import BEGIN_MS, events, history, videos, write_log

from reelm.feed.evaluate import Log
from reelm.foundation.errors import Invalid


def read(folder):
    log = Log(folder)
    return list(log.videos()), list(log.past()), list(log.events())


def refusal(folder):
    with pytest.raises(Invalid) as caught:
        read(folder)
    sentence = caught.value.sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def with_event(tmp_path, at, **changed):
    rows = events(20)
    rows[at].update(changed)
    return write_log(tmp_path / "log", rows)


def test_a_log_is_read_as_it_was_written(tmp_path):
    folder = write_log(tmp_path / "log", events(20), videos(), history(5))
    found, past, views = read(folder)
    assert [view._asdict() for view in views] == events(20)
    assert [facts.video_id for facts in found] == list(range(40))
    assert found[2].tags == ("2", "2")
    assert (found[5].tags, found[7].duration_ms) == ((), 0)
    assert found[0].published_ms == 1_649_548_800_000
    assert (past[4].watched, past[4].liked) == ([1, 2, 4], [])
    assert Log(folder).last_time_ms == views[-1].time_ms


def test_absent_outcomes_and_a_missing_history_are_zero_and_empty(tmp_path):
    needed = {"user_id", "video_id", "time_ms", "play_time_ms", "duration_ms", "long_view"}
    rows = [{name: row[name] for name in needed} for row in events(5)]
    found, past, views = read(write_log(tmp_path / "log", rows, [{"video_id": 3}]))
    assert past == []
    assert all(view[7:] == (0,) * 6 and view.surface == 0 for view in views)
    assert found[0].creator_id == -1


def test_numbers_may_be_held_as_whole_floats_and_booleans(tmp_path):
    rows = [{**row, "long_view": bool(row["long_view"]), "is_like": None} for row in events(5)]
    assert {view.is_like for view in read(write_log(tmp_path / "log", rows))[2]} == {0}


def test_many_row_groups_are_one_log(tmp_path):
    folder = write_log(tmp_path / "log")
    rows = pa.Table.from_pylist(events(100))
    pq.write_table(rows, folder / "events.parquet", row_group_size=7)
    assert [view._asdict() for view in Log(folder).events()] == events(100)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"time_ms": -5}, "row 7: time_ms is -5"),
        ({"user_id": None}, "row 7: user_id is empty"),
        ({"video_id": 2**62 + 1}, "row 7: video_id is"),
        ({"long_view": 2}, "row 7: long_view is 2, not 0 to 1"),
        ({"play_time_ms": -1}, "row 7: play_time_ms is -1"),
        ({"time_ms": BEGIN_MS - 1}, "row 7: time_ms is 1650899999999, earlier than in the row bef"),
    ],
)
def test_a_wrong_value_is_told_with_its_row(tmp_path, changed, told):
    sentence = refusal(with_event(tmp_path, 7, **changed))
    assert told in sentence
    assert "events.parquet" in sentence


def test_a_column_of_another_type_is_told(tmp_path):
    rows = [{**row, "user_id": f"u{row['user_id']}"} for row in events(5)]
    assert "column user_id holds" in refusal(write_log(tmp_path / "log", rows))


def test_a_missing_folder_file_or_column_is_told(tmp_path):
    assert "is not a folder" in refusal(tmp_path / "none")
    folder = write_log(tmp_path / "log", [{"user_id": 1, "video_id": 1}])
    assert "no column time_ms" in refusal(folder)
    (folder / "events.parquet").unlink()
    assert "events.parquet is not there" in refusal(folder)


def test_an_empty_log_is_told(tmp_path):
    folder = write_log(tmp_path / "log")
    empty = pa.Table.from_pylist(events(1)).slice(0, 0)
    pq.write_table(empty, folder / "events.parquet")
    assert "has no events" in refusal(folder)


def test_a_damaged_file_is_told(tmp_path):
    folder = write_log(tmp_path / "log", history_rows=history())
    (folder / "videos.parquet").write_bytes(b"PAR1 this is no table PAR1")
    assert "videos.parquet cannot be read as Parquet" in refusal(folder)
    whole = (folder / "events.parquet").read_bytes()
    (folder / "events.parquet").write_bytes(whole[: len(whole) // 2])
    assert "events.parquet cannot be read as Parquet" in refusal(folder)


def test_pages_damaged_in_the_middle_are_told(tmp_path):
    folder = write_log(tmp_path / "log")
    file = folder / "events.parquet"
    broken = bytearray(file.read_bytes())
    broken[4:400] = b"\xff" * 396
    file.write_bytes(broken)
    assert "events.parquet" in refusal(folder)


def test_videos_told_twice_or_with_a_bad_day_are_told(tmp_path):
    twice = refusal(write_log(tmp_path / "log", None, [*videos(3), *videos(1)]))
    assert "row 3: video_id 0 is there twice" in twice
    day = refusal(write_log(tmp_path / "day", None, [{"video_id": 1, "upload_dt": "soon"}]))
    assert "row 0: upload_dt is 'soon'" in day


def test_a_history_with_a_negative_id_is_told(tmp_path):
    past = [{"user_id": 1, "last_time_ms": 5, "watch_seq": [4, -1]}]
    assert "watch_seq" in refusal(write_log(tmp_path / "log", None, None, past))
