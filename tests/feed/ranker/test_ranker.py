import json

import numpy as np
import pytest

from reelm.feed.ranker import Ask, Ranker, State
from reelm.feed.signals import Kind, Signal

from .world import HOUR_MS, SIZES, START_MS, World, facts, topics

FAN, OTHER = 7_000_001, 7_000_002


def ids(picks):
    return [pick.video_id for pick in picks]


def test_nothing_comes_twice_before_all_else_and_then_the_oldest_first():
    world = World(topics(4, 5))
    seen = []
    while picks := world.page(FAN, 3):
        if picks[0].again:
            break
        seen += ids(picks)
    assert sorted(seen) == sorted(world.facts)
    assert ids(picks) == seen[:3]
    assert ids(world.page(FAN, 3)) == seen[3:6]
    assert all(pick.source == "again" for pick in picks)


def test_two_tabs_get_different_videos():
    world = World(topics(3, 5))
    first = world.ranker.recommend(Ask(FAN, START_MS, limit=6))
    second = world.ranker.recommend(Ask(FAN, START_MS, limit=6, without=frozenset(ids(first))))
    assert not set(ids(first)) & set(ids(second))


def test_recommending_changes_nothing():
    world = World(topics())
    world.watch(FAN, world.page(FAN)[0].video_id, to_the_end=True)
    before = world.ranker.digest()
    for limit in (1, 10, 50):
        world.ranker.recommend(Ask(FAN, START_MS + 9_000, limit=limit))
    world.ranker.rank_of(FAN, 3, at_ms=START_MS, surface=1)
    world.ranker.predict(FAN, 3, at_ms=START_MS, surface=1)
    world.ranker.known_of(FAN)
    assert world.ranker.digest() == before


@pytest.mark.parametrize("seed", range(5))
def test_taste_shows_in_the_next_page_and_changes_with_the_viewer(seed):
    world = World(topics(), seed=seed)
    first = world.page(FAN)
    loved = world.topic(first[0].video_id)
    finished, page = 0, first
    while finished < 3:
        for pick in page:
            loves = world.topic(pick.video_id) == loved
            world.watch(FAN, pick.video_id, to_the_end=loves)
            finished += loves
            if finished == 3:
                break
        else:
            page = world.page(FAN, 5)
    page = world.page(FAN)
    share = sum(world.topic(pick.video_id) == loved for pick in page) / 10
    assert share >= 0.3, "at least three times a tenth, which is the topic's share of all"
    loved = next(topic for topic in ("topic1", "topic2") if topic != loved)
    seen = 0
    while True:
        pleased = [world.topic(pick.video_id) == loved for pick in page]
        for pick, pleases in zip(page, pleased, strict=True):
            world.watch(FAN, pick.video_id, to_the_end=pleases)
        page = world.page(FAN, 2)
        seen += 2
        if any(pleased):
            break
    assert seen <= 12
    following = page + world.page(FAN, 8)
    assert sum(world.topic(pick.video_id) == loved for pick in following) >= 2


def test_the_last_watch_changes_the_very_next_scores():
    world = World(topics())
    picks = world.page(FAN)
    before = world.ranker.rank_of(FAN, 5, at_ms=world.now_ms, surface=1)
    same_topic = next(v for v in world.facts if world.topic(v) == "topic0" and v not in ids(picks))
    world.watch(FAN, same_topic, to_the_end=True)
    assert world.ranker.rank_of(FAN, 5, at_ms=world.now_ms, surface=1) < before


def test_what_is_hidden_does_not_come_and_comes_again_when_shown():
    videos = topics(4, 5)
    videos += [facts(900, topic="topic0", creator=5000, sound_id=77), facts(901, sound_id=77)]
    world = World(videos)
    world.act(FAN, Kind.HIDE_CREATOR, subject="1000")
    world.act(FAN, Kind.HIDE_HASHTAG, subject="topic1")
    world.act(FAN, Kind.HIDE_SOUND, subject="77")
    world.act(FAN, Kind.NOT_INTERESTED, 20)
    got = ids(world.ranker.recommend(Ask(FAN, START_MS, limit=50)))
    gone = {v.video_id for v in videos if v.creator_id == 1000 or v.sound_id == 77}
    gone |= {v.video_id for v in videos if "topic1" in v.tags} | {20}
    assert set(got) == set(world.facts) - gone
    world.act(FAN, Kind.SHOW_CREATOR, subject="1000")
    world.act(FAN, Kind.SHOW_HASHTAG, subject="topic1")
    world.act(FAN, Kind.SHOW_SOUND, subject="77")
    assert set(ids(world.ranker.recommend(Ask(FAN, START_MS, limit=50)))) == set(world.facts) - {20}
    assert set(ids(world.ranker.recommend(Ask(OTHER, START_MS, limit=50)))) == set(world.facts)


def test_followers_videos_come_to_followers_only_and_blocked_creators_to_nobody():
    videos = [*topics(2, 3), facts(50, creator=9, audience="followers"), facts(51, creator=11)]
    world = World(videos)
    assert 50 not in ids(world.ranker.recommend(Ask(FAN, START_MS, limit=20)))
    ask = Ask(FAN, START_MS, limit=20, followed=frozenset({9}), avoided=frozenset({11}))
    got = world.ranker.recommend(ask)
    assert 50 in ids(got)
    assert 51 not in ids(got)
    assert next(p for p in got if p.video_id == 50).source == "following"


def test_ones_own_new_video_comes_first_once_and_old_ones_only_when_nothing_else_is_left():
    mine = [facts(71, creator=FAN), facts(70, creator=FAN, published_ms=START_MS - 1000)]
    world = World([*topics(2, 4), *mine])
    first = world.page(FAN, 4)
    assert first[0].video_id == 70
    assert first[0].source == "own"
    rest = [p for p in world.page(FAN, 20) if not p.again]
    assert 70 not in ids(rest)
    assert 71 not in ids(rest)
    alone = World([facts(71, creator=FAN)])
    assert ids(alone.page(FAN)) == [71]


def test_languages_and_topics_that_were_chosen_go_before():
    videos = [*topics(4, 5), *(facts(800 + n, topic="films", language="hi") for n in range(6))]
    world = World(videos)
    got = world.ranker.recommend(Ask(FAN, START_MS, limit=6, languages=("hi",)))
    assert {p.video_id for p in got} == {800 + n for n in range(6)}
    more = world.ranker.recommend(Ask(FAN, START_MS, limit=8, languages=("hi",)))
    assert len(more) == 8, "what is left comes after"


def test_removed_videos_are_gone_and_their_rows_do_not_mix_with_new_ones():
    world = World(topics(2, 4))
    shown = ids(world.page(FAN, 8))
    world.ranker.remove_videos(shown[:4])
    fresh = [facts(200 + n, topic="dogs") for n in range(4)]
    world.ranker.add_videos(fresh)
    world.facts |= {one.video_id: one for one in fresh}
    assert sorted(ids(world.page(FAN, 4))) == [200, 201, 202, 203]


def test_forgetting_leaves_nothing_and_the_viewer_is_like_a_new_one():
    world = World(topics())
    for pick in world.page(FAN):
        world.watch(FAN, pick.video_id, to_the_end=True)
    world.act(FAN, Kind.HIDE_HASHTAG, subject="topic3")
    assert world.ranker.known_of(FAN)["seen"]
    key = int(world.ranker._model.viewers.key[world.ranker._model.viewers.find(FAN)])
    world.ranker.forget(FAN)
    assert world.ranker.known_of(FAN) == {}
    assert FAN not in world.ranker.viewers()
    for video_id in (1, 50, 100):
        place = {
            world.ranker.rank_of(viewer, video_id, at_ms=world.now_ms, surface=1)
            for viewer in (FAN, 12345)
        }
        assert len(place) == 1
    state = world.ranker.state()
    assert not any((array == FAN).any() for name, array in state.arrays.items() if "ids" in name)
    assert not any((array == key).any() for name, array in state.arrays.items() if "key" in name)


def test_a_state_saved_and_loaded_goes_on_as_if_it_had_never_stopped():
    world = World(topics())
    for viewer in (FAN, OTHER):
        for pick in world.page(viewer):
            world.watch(viewer, pick.video_id, to_the_end=pick.video_id % 2 == 0)
    state = world.ranker.state()
    header = json.loads(json.dumps(state.header))
    arrays = {name: np.array(array) for name, array in state.arrays.items()}
    again = Ranker.from_state(State(header, arrays))
    assert again.digest() == world.ranker.digest()
    batch = [Signal(FAN, 30, Kind.IMPRESSION, at_ms=world.now_ms), Signal(FAN, 30, Kind.LIKE)]
    for ranker in (again, world.ranker):
        ranker.observe([signal._replace(at_ms=world.now_ms + 5) for signal in batch])
    assert again.digest() == world.ranker.digest()


def test_a_replayed_log_gives_the_same_state():
    world = World(topics())
    for viewer in (FAN, OTHER, FAN):
        for pick in world.page(viewer):
            world.watch(viewer, pick.video_id, to_the_end=pick.video_id % 3 == 0)
            world.act(viewer, Kind.LIKE, pick.video_id)
    again = World(topics())
    for batch in world.log:
        again.ranker.observe(batch)
    assert again.ranker.digest() == world.ranker.digest()


@pytest.mark.parametrize("spoil", ["version", "sizes", "missing", "shape"])
def test_a_state_of_another_form_is_refused(spoil):
    world = World(topics(2, 2))
    header, arrays = world.ranker.state()
    header, arrays = dict(header), dict(arrays)
    if spoil == "version":
        header["version"] = 999
    elif spoil == "sizes":
        header["sizes"] = dict(header["sizes"], videos=5)
    elif spoil == "missing":
        del arrays["effects.table"]
    else:
        arrays["videos.tags"] = arrays["videos.tags"][:, :1]
    with pytest.raises(ValueError, match=r"state|form"):
        Ranker(SIZES).load(header, arrays)


def test_viewers_beyond_the_size_replace_those_idle_longest():
    world = World(topics(2, 4))
    for viewer in range(1, SIZES.viewers + 100):
        world.page(viewer, 1)
    known = world.ranker.viewers()
    assert len(known) <= SIZES.viewers
    assert SIZES.viewers + 99 in known
    assert 1 not in known


def test_an_explanation_names_the_topic_that_was_watched():
    world = World(topics())
    for pick in world.page(FAN, 20):
        world.watch(FAN, pick.video_id, to_the_end=world.topic(pick.video_id) == "topic2")
    told = [p for p in world.page(FAN) if world.topic(p.video_id) == "topic2"]
    assert told
    names = [name for name, amount in told[0].reasons if amount > 0]
    assert "topic:topic2" in names


def test_a_video_on_trial_is_shown_until_its_trial_is_over_and_then_by_its_results():
    month_ago = START_MS - 30 * 24 * HOUR_MS
    old = [one._replace(published_ms=month_ago) for one in topics(10, 30)]
    new = facts(700, published_ms=START_MS - 1000, creator=4242, topic="fresh")
    world = World([*old, new])
    met = []
    for viewer in range(100, 200):
        shown = {pick.video_id: pick.source for pick in world.page(viewer, 10)}
        met.append(shown.get(700))
        for video_id in shown:
            world.watch(viewer, video_id, to_the_end=video_id != 700)
    assert met.count("new") >= 20, "a place in eight, for twenty viewers"
    assert sum(source is not None for source in met[-30:]) <= 6, "nobody liked it"


def test_a_late_like_and_a_watch_without_an_impression_are_learned():
    world = World(topics(2, 4))
    world.watch(FAN, 1, to_the_end=True)
    world.act(FAN, Kind.LIKE, 1)
    assert world.ranker.known_of(FAN)["watched_lately"] == ["1"]
    assert world.ranker.known_of(FAN)["awaiting_outcome"][0]["outcome"]["like"] == 1.0
    world.act(FAN, Kind.FORGET_WATCH, 1)
    assert world.ranker.known_of(FAN)["watched_lately"] == []


def test_signals_about_unknown_videos_do_no_harm():
    world = World(topics(1, 2))
    for kind in Kind:
        world.observe(Signal(FAN, 987654, kind, subject="x"))
    assert len(world.ranker.recommend(Ask(FAN, START_MS, limit=5))) == 2


def test_videos_that_come_and_go_leave_no_list_behind():
    world = World([facts(1)])
    for number in range(2, 4_000):
        world.ranker.add_videos([facts(number, creator=5)])
        world.ranker.remove_videos([number - 1])
    catalogue = world.ranker._model.catalogue
    for lists in (catalogue.by_creator, catalogue.by_tag):
        assert sum(len(rows) for rows in lists._rows.values()) < 200
    assert len(world.ranker._candidates.trial) < 2_000
    assert ids(world.ranker.recommend(Ask(FAN, START_MS, followed=frozenset({5})))) == [3_999]


def test_newcomers_share_a_ranking_a_while_but_no_page_and_nothing_that_is_gone():
    world = World(topics())
    pages = [[pick.video_id for pick in world.ranker.recommend(Ask(n, START_MS))] for n in (7, 8)]
    assert pages[0] != pages[1]
    gone = pages[0][0]
    world.ranker.remove_videos([gone])
    for viewer_id in range(9, 30):
        picks = world.ranker.recommend(Ask(viewer_id, START_MS))
        assert gone not in {pick.video_id for pick in picks}
    world.watch(7, pages[0][1], to_the_end=True)
    first, again = (world.ranker.recommend(Ask(n, START_MS))[0].score for n in (9, 7))
    assert first != again
