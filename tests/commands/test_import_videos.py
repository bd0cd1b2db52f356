import json
import os
from pathlib import Path

import pytest
from tests.videos.acts import left_files, seen, stored
from tests.videos.factory import Clips

from reelm import accounts, videos
from reelm.commands import import_videos


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def imported(parts, capsys):
    """Import files and return the status and the lines that were printed."""

    def imported(*files: Path, as_json: bool = True):
        status = import_videos.run(parts, "ana", files, as_json=as_json, worker_running=False)
        printed = capsys.readouterr().out
        return status, [json.loads(line) for line in printed.splitlines()] if as_json else printed

    return imported


def test_good_files_are_published_and_bad_ones_refused_each_by_itself(
    parts, clips, imported, tmp_path
):
    empty, text, missing = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "no.mp4"
    empty.touch()
    text.write_text("not a video at all")
    os.mkfifo(tmp_path / "pipe.mp4")
    files = [clips("mp4"), empty, text, missing, tmp_path, tmp_path / "pipe.mp4", clips("webm")]
    status, lines = imported(*files)
    assert status == 1
    by_file = {line["file"]: line for line in lines}
    assert set(by_file) == {str(path) for path in files}
    for path in (clips("mp4"), clips("webm")):
        line = by_file[str(path)]
        assert (line["outcome"], line["reason"]) == ("published", None)
        assert 0 < line["seconds_to_playable"] <= line["seconds_to_ladder"]
        assert {"width": 180, "height": 320, "codec": "h264"}.items() <= line["renditions"][
            0
        ].items()
        assert seen(parts, int(line["video_id"])).state == "ready"
    for path, sentence in (
        (empty, "empty"),
        (text, "not a video"),
        (missing, "No such file"),
        (tmp_path, "not a file"),
        (tmp_path / "pipe.mp4", "not a file"),
    ):
        line = by_file[str(path)]
        assert (line["outcome"], line["video_id"], line["renditions"]) == ("refused", None, [])
        assert sentence in line["reason"], line
    with parts.transaction() as session:
        ana = accounts.account_of(session, "ana")
        assert ana is not None
        assert len(videos.own_video_ids(session, ana)) == 2
    assert stored(parts, "originals") == set()
    assert left_files(parts) == []


def test_all_good_files_end_with_status_0_and_a_line_for_people(clips, imported):
    status, printed = imported(clips("mp4"), as_json=False)
    assert status == 0
    assert "playable after" in printed


def test_odd_names_are_only_names(parts, clips, imported, tmp_path):
    odd = [tmp_path / name for name in ("\u202egp4.mp4", "😀.mp4", os.fsdecode(b"\xff.mp4"))]
    for path in odd:
        path.write_bytes(clips("silent").read_bytes())
    status, lines = imported(*odd)
    assert status == 0
    assert len(lines) == 3
    assert imported(odd[0], as_json=False)[1].count("\u202e") == 0


def test_a_file_over_the_quota_is_refused_and_the_next_is_not(parts, clips, imported, tmp_path):
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate((1 << 30) + 1)
    status, lines = imported(large, clips("mp4"))
    assert status == 1
    assert [line["outcome"] for line in lines] == ["refused", "published"]
