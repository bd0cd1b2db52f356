"""The demo's clips: what they are, and that instant publish takes them as they are."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from reelm.commands.demo_clips import HEIGHT, LONGEST_S, WIDTH, clips, make_clip, title_font
from reelm.videos import hashtags
from reelm.videos.probe import Limits, probe
from reelm.videos.repackage import can_repackage

LIMITS = Limits(max_duration_s=60, max_size_bytes=1 << 30, max_width=4096, max_height=4096)


def test_there_are_twelve_clips_of_ten_topics_that_differ_and_say_what_they_are():
    made = clips()
    assert len(made) == 120
    assert len({clip.name for clip in made}) == 120
    assert len({clip.look.caption for clip in made}) == 120
    assert len({clip.look.source for clip in made}) == 120
    assert len({clip.duration_s for clip in made}) > 10
    assert max(clip.duration_s for clip in made) <= LONGEST_S
    assert all(clip.handle.startswith("demo_") for clip in made)
    assert all("demo" in clip.caption for clip in made)


def test_each_topic_has_a_tag_and_three_people_of_its_own_so_that_a_taste_for_it_can_be_told():
    people: Counter[tuple[str, str]] = Counter()
    tags: Counter[str] = Counter()
    particular: Counter[tuple[str, str]] = Counter()
    for clip in clips():
        people[clip.topic.name, clip.handle] += 1
        first, second, last = hashtags(clip.caption)
        assert (first, last) == (clip.topic.name, "demo")
        tags[first] += 1
        particular[first, second] += 1
    assert set(tags.values()) == {12}
    assert len(people) == len({handle for _, handle in people}) == 30
    assert set(people.values()) == {4}
    assert len(particular) == len({tag for _, tag in particular}) == 30
    assert set(particular.values()) == {4}


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
