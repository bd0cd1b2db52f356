"""One contract for the feed that learns: in the process that holds it, and from another one."""

import os
import socket
import stat
import threading
import time

import msgspec
import pytest
from tests.feed.log.factory import Counting, log_rows, shown, some_videos, watch

from reelm.feed import remote
from reelm.feed.given import Why
from reelm.feed.live import LiveFeed, Outbox
from reelm.feed.ranker import Ask, Pick
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Invalid, RateLimited, TooLarge, Unavailable
from reelm.foundation.ids import new_id


def made(state):
    return Counting() if state is None else Counting.from_state(state)


def _framed(value):
    data = msgspec.msgpack.encode(value)
    return len(data).to_bytes(4, "little") + data


@pytest.fixture
def several(parts):
    """Make feeds as processes of a region with several web processes have them."""
    http = msgspec.structs.replace(parts.settings.http, processes=2)
    settings = msgspec.structs.replace(parts.settings, http=http)
    object.__setattr__(parts, "settings", settings)
    running = []

    def make():
        live = LiveFeed(parts, made)
        live.start(10)
        running.append(live)
        assert live.is_ready
        return live

    yield make
    for live in reversed(running):
        live.stop()


@pytest.fixture(params=["local", "remote"])
def live(request, several):
    """The feed that learns, here or in another process."""
    first = several()
    return first if request.param == "local" else several()


def test_it_learns_and_recommends(parts, live):
    _, videos = some_videos(parts, 4)
    viewer = new_id()
    _until_known(live, videos)
    ask = Ask(viewer, 0, 2, without=frozenset(videos[3:]), topics=("cats",))
    picks = live.recommend(ask)
    assert picks == [
        Pick(v, "newest", 1.0, 0.5, (("fresh", 1.0),), again=False) for v in videos[:2]
    ]
    assert live.recommend(ask)[0].video_id == videos[2]
    live.observe([shown(viewer, videos[0]), watch(viewer, videos[0], surface=3)])
    live.observe([])
    assert log_rows(parts, "viewer_id", "surface") == [(viewer, 0), (viewer, 3)]
    assert live.known_of(viewer) == {str(videos[0]): 1}
    assert live.why(viewer, videos[1]) == Why("newest", (("fresh", 1.0),))
    assert live.why(viewer, 1) is None
    live.forget(viewer)
    assert live.known_of(viewer) == {}
    assert live.why(viewer, videos[1]) is None


def test_errors_are_the_same(parts, live, monkeypatch):
    with pytest.raises(Invalid, match="watched_ms"):
        live.observe([watch(5, 6, -1)])
    with pytest.raises(TooLarge, match="at once"):
        live.observe([watch(5, 6)] * 3000)
    monkeypatch.setattr("reelm.feed.log.ticket.MOST_WAITING", 0)
    with pytest.raises(RateLimited) as refused:
        live.observe([watch(5, 6)])
    assert refused.value.retry_after_s == 1


def test_many_threads_are_served(parts, live):
    _, (video_id, *_) = some_videos(parts)
    threads = [
        threading.Thread(target=lambda n=n: [live.observe([watch(n, video_id)]) for _ in range(5)])
        for n in range(1, 13)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log_rows(parts) == list(range(1, 61))


def test_another_process_takes_over_when_the_holder_ends(parts, several):
    _, videos = some_videos(parts)
    first, second, third = several(), several(), several()
    second.observe([watch(5, videos[0])])
    first.stop()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            third.observe([watch(6, videos[0])])
            second.observe([watch(7, videos[0])])
            break
        except Unavailable:
            time.sleep(0.05)
    while second.learned() != 1.0 or third.learned() != 1.0:
        time.sleep(0.02)
    assert second.known_of(5) == third.known_of(5) == {str(videos[0]): 1}
    assert (second.holder.refusal is None) != (third.holder.refusal is None)
    viewers = log_rows(parts, "viewer_id")
    assert viewers[0] == 5
    assert {6, 7} <= set(viewers)


def test_a_lost_connection_is_told_and_the_next_request_works(parts, several):
    _, videos = some_videos(parts)
    first, second = several(), several()
    first._door.close()
    with pytest.raises(Unavailable):
        second.observe([watch(5, videos[0])])
    end = time.monotonic() + 20
    while not log_rows(parts) and time.monotonic() < end:
        try:
            second.observe([watch(5, videos[0])])
        except Unavailable:
            time.sleep(0.05)
    assert log_rows(parts, "viewer_id") == [5]


def test_the_socket_is_for_the_regions_user_alone_and_no_path_is_too_long(several, parts):
    home = parts.home.path.with_name("r" * 150)
    parts.home.path.rename(home)
    object.__setattr__(parts.home, "path", home)
    several()
    path = home / remote.SOCKET
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    assert several().recommend(Ask(5, 0)) == []


@pytest.mark.parametrize(
    "message",
    [b"", b"\x05\0\0\0hello", b"\xff\xff\xff\xff", _framed(["stop", []]),
     _framed(["recommend", ["x"]]), _framed(["_load", []]), _framed({})],
)  # fmt: skip
def test_nonsense_at_the_socket_harms_nobody(several, parts, message):
    first = several()
    second = several()
    with socket.socket(socket.AF_UNIX) as connection, remote._address(parts.home) as address:
        connection.connect(address)
        connection.sendall(message)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        answer = connection.recv(1 << 16)
        assert not answer or b"unavailable" in answer
    assert second.recommend(Ask(5, 0)) == []
    assert first.holder.refusal is None


def test_while_nobody_holds_the_ranker_every_verb_says_so(parts):
    live = LiveFeed(parts, made)
    for verb in (
        lambda: live.observe([watch(5, 6)]),
        lambda: live.recommend(Ask(5, 0)),
        lambda: live.why(5, 6),
        lambda: live.known_of(5),
        lambda: live.forget(5),
    ):
        with pytest.raises(Unavailable, match="being loaded"):
            verb()


def test_an_outbox_keeps_the_order_and_says_what_is_needed():
    outbox = Outbox()
    outbox.add(Signal(5, 6, Kind.LIKE))
    assert not outbox.is_needed
    outbox.forget(5)
    outbox.add(Signal(5, 0, Kind.HIDE_HASHTAG, subject="cats"))
    assert outbox.is_needed
    assert [one.kind for one in outbox.signals] == [Kind.LIKE, Kind.RESET, Kind.HIDE_HASHTAG]


def test_figures_are_numbers(parts, several):
    live = several()
    _, videos = some_videos(parts)
    live.observe([watch(5, videos[0])])
    figures = live.figures()
    assert figures["signals"] == figures["batches"] == figures["is_holder"] == 1
    assert all(isinstance(value, int | float) for value in figures.values())


def _until_known(live, videos):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        viewer = new_id()
        if len(live.recommend(Ask(viewer, 0, 50))) == len(videos):
            return
        time.sleep(0.05)
    raise AssertionError("the videos did not arrive")
