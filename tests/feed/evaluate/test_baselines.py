"""The baselines: what they prefer, and that their numbers are the ones they are said to be."""

from tests.feed.evaluate.factory import BEGIN_MS, DAY_MS, Mean, events, videos, write_log

from reelm.feed.evaluate import Evaluation, FolderReplay, Log
from reelm.feed.evaluate.item_knn import ItemKnn
from reelm.feed.evaluate.popularity import DecayedPopularity
from reelm.feed.ranker import VideoFacts
from reelm.feed.signals import Kind, Signal

NOBODY: frozenset[int] = frozenset()


def watch(viewer, video, at_ms=BEGIN_MS, *, long_view=True, surface=1, watched_ms=10_000):
    return Signal(
        viewer,
        video,
        Kind.WATCH,
        at_ms,
        watched_ms=watched_ms,
        duration_ms=20_000,
        long_view=long_view,
        surface=surface,
    )


def model(make, count=6):
    made = make()
    made.add_videos([VideoFacts(video, 1) for video in range(1, count + 1)])
    return made


def order(made, viewer=99, count=6, without=NOBODY):
    ranks = {
        video: made.rank_of(viewer, video, at_ms=BEGIN_MS, surface=1, without=without - {video})
        for video in range(1, count + 1)
    }
    return sorted(ranks, key=ranks.__getitem__)


def test_what_was_watched_long_lately_is_popular():
    made = model(DecayedPopularity)
    made.observe([watch(viewer, 3) for viewer in range(3)])
    made.observe([watch(viewer, 5, BEGIN_MS + DAY_MS) for viewer in range(2)])
    assert order(made)[:2] == [5, 3]


def test_ages_of_decay_do_not_overflow():
    for make in (DecayedPopularity, ItemKnn):
        made = model(make)
        made.observe([watch(1, 3), watch(1, 2, BEGIN_MS + 10_000 * DAY_MS)])
        assert order(made)[0] in (2, 3)


def test_ranks_are_places_and_equal_scores_come_last():
    made = model(DecayedPopularity)
    made.observe([watch(viewer, video) for viewer, video in ((1, 2), (1, 3), (2, 3), (2, 6))])

    def rank(video, *without: int):
        return made.rank_of(
            1, video, at_ms=BEGIN_MS, surface=1, without=frozenset((*without, video, 77))
        )

    assert [rank(video) for video in range(1, 7)] == [6, 3, 1, 6, 6, 3]
    assert [rank(video, 3, 6) for video in (1, 2, 4)] == [4, 1, 4]


def test_those_who_watched_the_same_lead_to_what_they_watched_too():
    made = model(ItemKnn)
    for viewer in range(10):
        made.observe([watch(viewer, 1), watch(viewer, 2)])
        made.observe([watch(100 + viewer, 3), watch(100 + viewer, 4), watch(200 + viewer, 4)])
    made.observe([watch(50, 1), watch(51, 3)])
    assert order(made, 50, without=frozenset({1}))[:2] != order(made, 51, without=frozenset({3}))
    assert made.rank_of(50, 2, at_ms=BEGIN_MS, surface=1, without=frozenset({1})) == 1
    assert made.rank_of(51, 4, at_ms=BEGIN_MS, surface=1, without=frozenset({3})) == 1


def test_the_share_of_long_views_goes_from_the_average_to_the_videos_own():
    for make in (DecayedPopularity, ItemKnn):
        made = model(make)
        made.observe([watch(v, 1, long_view=False, watched_ms=100) for v in range(40)])
        made.observe([watch(v, 2) for v in range(40)])
        one, two, three = (made.predict(7, video, at_ms=BEGIN_MS, surface=1) for video in (1, 2, 3))
        assert one.long_view < 0.2 < three.long_view < 0.8 < two.long_view
        assert one.watch_ms < three.watch_ms < two.watch_ms


def test_both_baselines_beat_chance_on_viewers_with_a_taste(tmp_path):
    folder = write_log(tmp_path / "log", events(3000, users=60), videos())
    evaluation = Evaluation(Mean(), FolderReplay(Log(folder)), BEGIN_MS + DAY_MS // 2)
    for _ in evaluation.steps():
        pass
    found = evaluation.report.baselines
    assert set(found) == {"decayed_popularity", "item_knn"}
    knn = found["item_knn"]
    assert knn.recall_at_20 is not None
    assert knn.recall_at_20 > 20 / 40
    assert knn.seconds > 0
