"""Why somebody sees a video, in one sentence."""

import pytest

from reelm.feed.explain import explain, explain_unprofiled, unexplained
from reelm.feed.weights import HEADS, SOURCES

AMOUNT = {"topic:cooking": 2.0, "beside": 1.5, "long_view": 1.0, "skip": -0.5}


def test_source_topic_and_the_strongest_reasons_make_one_sentence():
    found = explain("interest", list(AMOUNT.items()))
    assert found.sentence == (
        "You see this because you watched videos with #cooking long lately; it also counted that "
        "people who watched the same videos long as you did watched this one too and that you are "
        "likely to watch it to its end or for long."
    )
    assert found.is_profiled
    assert [(reason.name, reason.share) for reason in found.reasons] == [
        ("topic:cooking", 0.4), ("beside", 0.3), ("long_view", 0.2), ("skip", -0.1),
    ]  # fmt: skip


def test_what_speaks_against_a_video_is_no_reason_to_see_it():
    sentence = explain("popular", [("skip", -3.0), ("like", 0.1)]).sentence
    assert "swipe" not in sentence
    assert "likely to like it" in sentence


@pytest.mark.parametrize("source", [source.name for source in SOURCES])
def test_each_source_and_each_part_of_the_score_has_words(source):
    for head in HEADS:
        found = explain(source, [(head.name, 1.0)])
        assert found.source_words
        assert found.sentence.startswith("You see this because ")
        assert found.sentence.endswith(".")
        assert found.sentence.count(".") == 1
        against = head.weight < 0
        assert (found.reasons[0].words == head.words) is not against
        assert found.reasons[0].words.startswith("How unlikely") is against
        assert len(found.sentence) < 240


@pytest.mark.parametrize("name", ["popular", "beside", "taste", "creator", "topic:cats"])
def test_each_view_of_relevance_has_words(name):
    found = explain("new", [(name, 1.0)])
    assert found.sentence.count("it also counted") == 1
    assert found.reasons[0].words[0].isupper()


def test_nothing_is_said_twice_and_what_counted_little_is_left_out():
    assert explain("neighbours", [("beside", 1.0)]).sentence.count("it also counted") == 0
    assert (
        explain("popular", [("popular", 1.0), ("topic:", 0.9)]).sentence.count("it also counted")
        == 0
    )
    assert "like it" not in explain("new", [("creator", 1.0), ("like", 0.1)]).sentence


def test_an_unknown_source_and_reason_are_not_made_up():
    found = explain("of tomorrow", [("of_tomorrow", 1.0)])
    assert "weights" in found.sentence
    assert explain("of tomorrow", []).sentence == found.sentence
    assert "no reason to tell" in unexplained().sentence


def test_the_non_profiled_feed_says_that_nothing_about_the_viewer_was_used():
    for source in ("popular", "new", "rest"):
        found = explain_unprofiled(source, topic="cats", language="hi")
        assert "#cats" in found.sentence
        assert "nothing else about you was used" in found.sentence
        assert not found.is_profiled
        assert not found.reasons
        assert "nothing about you was used" in explain_unprofiled(source).sentence
    assert "you follow its creator" in explain_unprofiled("", is_following=True).sentence
