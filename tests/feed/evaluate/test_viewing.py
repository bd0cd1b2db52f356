"""An event and a history become what a viewer of the product sends."""

from tests.feed.evaluate.factory import BEGIN_MS

from reelm.feed.evaluate.log import Event, Past
from reelm.feed.evaluate.viewing import Memories, signals_of, signals_of_history
from reelm.feed.signals import Kind


def kinds(signals):
    return [Kind(signal.kind).name for signal in signals]


def test_an_event_is_an_impression_a_watch_and_the_acts_of_it():
    event = Event(0, 0, BEGIN_MS, 9000, 8000, 17, 1, 1, 1, 1, 1, 1, 1)
    signals = signals_of(event, creator_id=5, seq=10)
    all_acts = "IMPRESSION LIKE FOLLOW COMMENT_OPENED SHARE NOT_INTERESTED PROFILE_VISIT WATCH"
    assert kinds(signals) == all_acts.split()
    assert [signal.seq for signal in signals] == list(range(10, 18))
    assert {(one.viewer_id, one.video_id, one.at_ms, one.surface) for one in signals} == {
        (1, 1, BEGIN_MS, 1)
    }
    assert [signal.subject for signal in signals if signal.subject] == ["5", "5"]
    watch = signals[-1]
    assert (watch.watched_ms, watch.duration_ms, watch.long_view) == (9000, 8000, True)


def test_a_creator_who_is_not_known_is_not_followed():
    event = Event(0, 0, BEGIN_MS, 0, 0, 0, 0, is_follow=1, is_profile_enter=1)
    assert kinds(signals_of(event, creator_id=0, seq=1)) == ["IMPRESSION", "WATCH"]


def test_a_history_is_put_in_order_from_its_three_lists():
    past = [Past(1, 100_000, watched=[1, 2, 1], watched_long=[7, 1], liked=[9, 2])]
    views = list(Memories(past, until_ms=BEGIN_MS))
    told = [(v.video_id - 1, v.is_watched, v.is_long, v.is_liked) for v in views]
    assert told == [(9, 0, 0, 1), (7, 1, 1, 0), (1, 1, 0, 0), (2, 1, 0, 1), (1, 1, 1, 0)]
    assert [view.at_ms for view in views] == [BEGIN_MS - 1_000 * back for back in (5, 4, 3, 2, 1)]


def test_histories_are_merged_by_their_ends_just_before_the_events():
    past = [Past(0, 50_000, [1, 2], [], []), Past(1, 99_000, [3, 4], [4], [])]
    views = list(Memories(past, until_ms=49_500))
    assert [view.at_ms for view in views] == [47_500, 47_500, 48_500, 48_500]
    signals = [s for part in signals_of_history(views) for s in part]
    assert [signal.seq for signal in signals] == [1, 2, 3, 4]
    assert kinds(signals) == ["PAST_WATCH"] * 4
    assert [(s.video_id, s.long_view) for s in signals if s.viewer_id == 2] == [
        (4, False),
        (5, True),
    ]


def test_a_like_of_a_history_follows_its_watch():
    views = Memories([Past(0, 50_000, [1], [], [1, 2])], until_ms=BEGIN_MS)
    signals = [s for part in signals_of_history(views) for s in part]
    assert kinds(signals) == ["LIKE", "PAST_WATCH", "LIKE"]
    assert [signal.video_id for signal in signals] == [3, 2, 2]
