"""The table of effects: it grows, and goes on from what it held."""

import numpy as np

from reelm.feed.ranker.effects import LEAST_BITS, MOST_BITS, ROWS_A_WATCH, Effects, Things


def things(count: int) -> Things:
    ids = np.arange(1, count + 1)
    return Things(ids, ids * 7, ids * 11, ids % 5, ids % 3, np.ones(count, np.int64), 5)


def test_a_table_that_grows_expects_the_same_and_ends_at_its_most():
    effects, some = Effects(), things(200)
    effects.learn(effects.rows(some), np.ones((200, 4), np.float32))
    before = effects.of(effects.rows(some))
    for wanted in (LEAST_BITS, LEAST_BITS + 2, MOST_BITS, MOST_BITS + 1):
        effects.make_room((1 << wanted) // ROWS_A_WATCH)
        rows = effects.rows(some)
        np.testing.assert_array_equal(effects.of(rows), before)
        assert int(rows.max()) < 1 << MOST_BITS
    assert int(effects.rows(things(5000)).max()) > 1 << (MOST_BITS - 1)


def test_events_that_share_rows_do_not_overshoot_together():
    effects, same = Effects(), np.zeros(500, np.int64)
    crowd = things(1)._replace(**{
        name: column[same] for name, column in things(1)._asdict().items() if name != "hour"
    })  # fmt: skip
    effects.learn(effects.rows(crowd), np.ones((500, 4), np.float32))
    weight, _ = effects.of(effects.rows(things(1)))
    assert (weight.sum(axis=1)[0, :3] > 0).all()
    assert (weight.sum(axis=1)[0, :3] < 5).all()  # one step of log-odds, not five hundred


def test_a_saved_table_is_the_same():
    effects, again, some = Effects(), Effects(), things(50)
    effects.make_room(1 << LEAST_BITS)
    effects.learn(effects.rows(some), np.zeros((50, 4), np.float32))
    again.load(*effects.save())
    rows = effects.rows(some)
    np.testing.assert_array_equal(again.rows(some), rows)
    np.testing.assert_array_equal(again.of(rows), effects.of(rows))
