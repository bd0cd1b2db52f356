"""The plot is a drawing that a program can open, and each line is in its panel."""

from xml.etree import ElementTree as ET

import av
import numpy as np
import pytest
from tests.feed.evaluate.factory import Mean, events, write_log

from reelm.feed.evaluate import Evaluation, FolderReplay, Log
from reelm.feed.evaluate.plot import HEIGHT, LEFT, WIDTH
from reelm.foundation.errors import Invalid

SVG = "{http://www.w3.org/2000/svg}"


def drawn(tmp_path, name, rows=None):
    evaluation = Evaluation(Mean(), FolderReplay(Log(write_log(tmp_path / "log", rows))), 0)
    for _ in evaluation.steps(plot=tmp_path / name):
        pass
    return tmp_path / name


def test_an_svg_has_five_panels_of_three_lines_and_a_legend(tmp_path):
    root = ET.parse(drawn(tmp_path, "plot.svg")).getroot()  # noqa: S314 - our own file
    words = [text.text for text in root.iter(f"{SVG}text")]
    for word in ("recall@20", "NDCG@10", "AUC", "XAUC", "ranker", "decayed popularity", "item knn"):
        assert word in words
    courses = [
        line
        for line in root.iter(f"{SVG}polyline")
        if line.get("stroke") not in ("#dddddd", "#888888")
        and line.get("points", "").count(" ") > 2
    ]
    assert len(courses) == 15
    for line in courses:
        points = [tuple(map(float, at.split(","))) for at in line.get("points", "").split()]
        assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
        assert points == sorted(points, key=lambda point: point[0])


def test_a_png_is_a_picture_of_the_same(tmp_path):
    path = drawn(tmp_path, "plot.PNG")
    with av.open(str(path)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert pixels.shape == (2 * HEIGHT, 2 * WIDTH, 3)
    for colour in ((255, 255, 255), (26, 26, 26), (0x0B, 0x57, 0xD0), (0x3C, 0x6E, 0x3C)):
        assert np.all(pixels == colour, axis=2).any()


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_events_are_said_to_be_that(tmp_path, count):
    rows = [{**row, "long_view": 0} for row in events(count)]
    assert "too few events to tell" in drawn(tmp_path, "plot.svg", rows).read_text()


def test_another_ending_is_refused_before_the_run(tmp_path):
    evaluation = Evaluation(Mean(), FolderReplay(Log(write_log(tmp_path / "log"))), 0)
    with pytest.raises(Invalid, match=r"a plot is written to a \.svg or a \.png file"):
        next(evaluation.steps(plot=tmp_path / "plot.pdf"))
