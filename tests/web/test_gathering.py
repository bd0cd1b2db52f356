"""Requests that are answered together."""

import asyncio
import threading

import pytest

from reelm.foundation.errors import Invalid, Unavailable
from reelm.web import gathering
from reelm.web.gathering import Gathering


def answered(answer_all, *asked: object, then=None):
    """Ask all at once; return the answers, errors among them, and the gathering after its end."""

    async def ask():
        gathered = Gathering("test", answer_all)
        gathered.start()
        tasks = [asyncio.ensure_future(gathered.ask(one)) for one in asked]
        await asyncio.sleep(0)
        if then is not None:
            then(tasks)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        gathered.stop()
        with pytest.raises(Unavailable):
            await gathered.ask(1)
        return found

    return asyncio.run(ask())


def test_each_gets_its_own_answer_and_what_waits_goes_together():
    sizes, gate = list[int](), threading.Event()

    def doubled(asked):
        gate.wait(5)
        sizes.append(len(asked))
        return [one * 2 for one in asked]

    found = answered(doubled, *range(100), then=lambda _: gate.set())
    assert found == [one * 2 for one in range(100)]
    assert sum(sizes) == 100
    assert len(sizes) < 20
    assert max(sizes) <= gathering.MOST_TOGETHER


def test_an_error_of_one_is_not_that_of_another():
    def refuse_odd(asked):
        return [Invalid("odd") if one % 2 else one for one in asked]

    found = answered(refuse_odd, 0, 1, 2)
    assert (found[0], found[2]) == (0, 2)
    assert isinstance(found[1], Invalid)


def test_a_crash_is_told_to_all_that_were_asked_and_ends_no_thread():
    calls = list[int]()

    def crash(asked):
        calls.append(len(asked))
        raise ZeroDivisionError

    found = answered(crash, *range(gathering.THREADS * gathering.MOST_TOGETHER + 1))
    assert all(isinstance(one, ZeroDivisionError) for one in found)


def test_who_has_gone_spoils_nothing_for_the_others():
    gate = threading.Event()

    def wait(asked):
        gate.wait(5)
        return asked

    def leave(tasks):
        tasks[0].cancel()
        gate.set()

    found = answered(wait, 1, 2, then=leave)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1] == 2
