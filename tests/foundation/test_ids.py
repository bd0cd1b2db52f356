"""Snowflakes: unique, in order of time, and waiting where they must."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelm.foundation import ids
from reelm.foundation.database.lease import leased_ids
from reelm.foundation.errors import Unavailable
from reelm.foundation.parts import Parts


class Clock:
    """A clock that a test moves; sleeping moves it too."""

    def __init__(self, ms: int = ids.EPOCH_MS + 1000) -> None:
        self.ms = ms
        self.slept = 0

    def now(self) -> int:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        self.ms += max(1, round(seconds * 1000))


def source(clock: Clock, floor_ms: int = 0) -> ids.Snowflakes:
    return ids.Snowflakes(3, 5, floor_ms, wall_ms=clock.now, sleep=clock.sleep)


@given(st.lists(st.integers(-50, 50), max_size=300))
def test_ids_rise_whatever_the_clock_does(steps: list[int]) -> None:
    clock = Clock()
    flakes = source(clock)
    made = []
    for step in steps:
        clock.ms = max(clock.ms + step, ids.EPOCH_MS)
        made.append(flakes.next())
    assert made == sorted(set(made))
    assert all(0 < number < 1 << 63 for number in made)


def test_a_full_millisecond_waits_for_the_next() -> None:
    clock = Clock()
    flakes = source(clock)
    made = [flakes.next() for _ in range(200)]
    assert len(set(made)) == 200
    assert clock.slept >= 3


def test_a_clock_far_behind_is_an_error_not_a_long_wait() -> None:
    clock = Clock()
    flakes = source(clock)
    flakes.next()
    clock.ms -= 3_600_000
    with pytest.raises(Unavailable):
        flakes.next()


def test_an_id_tells_when_region_and_process_it_was_made() -> None:
    clock = Clock()
    number = source(clock).next()
    assert number >> 6 & 63 == 5
    assert number >> 12 & 1023 == 3
    assert ids.made_at(number).timestamp() * 1000 == clock.ms


def test_nothing_is_reused_after_an_earlier_holder_of_the_number() -> None:
    clock = Clock()
    old = source(clock)
    last = [old.next() for _ in range(10)][-1]
    new = source(clock, floor_ms=clock.ms)
    assert new.next() > last


def test_two_processes_get_two_numbers_and_a_lapsed_lease_makes_none(parts: Parts) -> None:
    with leased_ids(parts.database, 7):
        first = ids._source
        with leased_ids(parts.database, 7):
            second = ids._source
            assert first is not None
            assert second is not None
            assert first.process != second.process
            second.until_ms = 0  # type: ignore[attr-defined]
            with pytest.raises(Unavailable):
                ids.new_id()


def test_threads_share_one_source_without_repeats() -> None:
    flakes = ids.Snowflakes(region=1, process=1)
    made: list[int] = []
    threads = [
        threading.Thread(target=lambda: made.extend(flakes.next() for _ in range(500)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000
