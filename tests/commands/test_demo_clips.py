"""The demo's clips: what they are, and that instant publish takes them as they are."""

from itertools import pairwise
from pathlib import Path

import pytest

from reelm.commands.demo_clips import HEIGHT, LONGEST_S, WIDTH, clips, make_clip, title_font
from reelm.videos.probe import Limits, probe
from reelm.videos.repackage import can_repackage

LIMITS = Limits(max_duration_s=60, max_size_bytes=1 << 30, max_width=4096, max_height=4096)


def test_there_are_forty_clips_that_differ_and_say_what_they_are():
    made = clips()
    assert len(made) == 40
    assert len({clip.name for clip in made}) == 40
    assert len({clip.look.caption for clip in made}) == 40
    assert len({clip.duration_s for clip in made}) > 10
    assert max(clip.duration_s for clip in made) <= LONGEST_S <= 6
    assert all(clip.topic.handle.startswith("demo_") for clip in made)
    assert all("demo" in clip.caption for clip in made)


def test_neighbours_are_of_different_topics():
    made = clips()
    assert all(a.topic.name != b.topic.name for a, b in pairwise(made))


@pytest.mark.parametrize("number", range(10))
def test_one_clip_of_each_topic_can_be_published_at_once(tmp_path: Path, number: int):
    clip = clips()[number]
    path = make_clip(clip, tmp_path, font=title_font())
    seen = probe(path, work=tmp_path, limits=LIMITS)
    assert can_repackage(seen) is None
    assert (seen.video.width, seen.video.height) == (WIDTH, HEIGHT)
    assert seen.audio is not None
    assert abs(seen.duration_ms / 1000 - clip.duration_s) < 0.1


def test_a_machine_without_fonts_gets_clips_without_titles(tmp_path: Path):
    assert make_clip(clips()[0], tmp_path, font=None).stat().st_size > 10_000
