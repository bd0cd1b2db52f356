"""What the kernel still holds when an order comes is not sent."""

import socket
from contextlib import ExitStack

import httpx2 as httpx
import pytest
from tests.commands.served import until
from tests.regions.factory import make_body, people, videos
from tests.social.factory import make_account, make_rendition, make_video

from reelm import moderation
from reelm.videos.models import Rendition
from reelm.web import in_flight

MIB = 1 << 20


class Stream:
    """A viewer with a slow connection: little fits in, and nothing is read until asked."""

    def __init__(self, server: str, path: str, then: str | None) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        self.socket.connect((host, int(port)))
        asked = [path] if then is None else [path, then]
        words = [f"GET {one} HTTP/1.1\r\nhost: {host}\r\n" for one in asked]
        self.socket.sendall(("\r\n".join(words) + "connection: close\r\n\r\n").encode())
        self.received = len(self.socket.recv(1000))

    def is_reset(self) -> bool:
        try:
            self.socket.send(b"GET / HTTP/1.1\r\n")
        except OSError:
            return True
        return False

    def rest(self) -> int:
        try:
            while data := self.socket.recv(65536):
                self.received += len(data)
        except ConnectionResetError:
            pass
        return self.received


@pytest.fixture(params=[MIB, 64 * MIB])
def video(request, parts, tmp_path):
    """A video of one chunk, and one of many."""
    file = tmp_path / "media"
    with file.open("wb") as opened:
        opened.truncate(request.param)
    stored = parts.store.put_file("renditions", file)
    with parts.transaction() as session:
        creator = make_account(session, "ana")
        video_id = make_video(session, creator)
        make_rendition(session, video_id, "720", object=stored.key)
        body = make_body(session)
    return body, creator, video_id, request.param


@pytest.fixture
def stream(server):
    """Begin to fetch a path; all end with the test."""
    with ExitStack() as stack:

        def begin(path, then=None):
            begun = Stream(server, path, then)
            stack.callback(begun.socket.close)
            return begun

        yield begin


ORDERS = {
    "remove": lambda creator, video_id: videos(video_id),
    "suspend_account": lambda creator, video_id: people(creator),
    "block_service": lambda creator, video_id: {},
}


@pytest.mark.parametrize("kind", ORDERS)
def test_a_stream_is_reset_when_an_order_comes(server, stream, parts, video, kind):
    body, creator, video_id, size_bytes = video
    path = f"/media/{video_id}/720.mp4"
    streams = [stream(path) for _ in range(5)]
    with parts.transaction() as session:
        targets = ORDERS[kind](creator, video_id)
        moderation.submit_order(session, parts, body.order(kind, targets=targets))
    for one in streams:
        assert until(one.is_reset)
        assert one.rest() < size_bytes
    assert httpx.get(server + path).status_code == 451


def test_streams_of_other_videos_go_on(stream, parts, video):
    body, _, video_id, size_bytes = video
    with parts.transaction() as session:
        stored = session.get_one(Rendition, (video_id, "720")).object
        other = make_video(session, make_account(session, "ben"))
        make_rendition(session, other, "720", object=stored)
    gone, kept = (stream(f"/media/{one}/720.mp4") for one in (video_id, other))
    with parts.transaction() as session:
        moderation.submit_order(session, parts, body.order("remove", targets=videos(video_id)))
    assert until(gone.is_reset)
    assert kept.rest() > size_bytes


def test_nobody_can_have_a_stream_forgotten_that_is_still_open(
    server, stream, parts, video, monkeypatch
):
    monkeypatch.setattr(in_flight, "FEW", 8)
    body, _, video_id, size_bytes = video
    with parts.transaction() as session:
        stored = session.get_one(Rendition, (video_id, "720")).object
        other = make_video(session, make_account(session, "ben"))
        make_rendition(session, other, "720", object=stored)
    kept = stream(f"/media/{video_id}/720.mp4")
    for _ in range(60):
        answer = httpx.get(f"{server}/media/{other}/720.mp4", headers={"range": "bytes=0-9"})
        assert answer.status_code == 206
    with parts.transaction() as session:
        moderation.submit_order(session, parts, body.order("remove", targets=videos(video_id)))
    assert until(kept.is_reset)
    assert kept.rest() < size_bytes


def test_what_is_asked_for_next_does_not_hide_what_was_sent_before(stream, server, parts, video):
    body, _, video_id, size_bytes = video
    path = f"/media/{video_id}/720.mp4"
    with parts.transaction() as session:
        stored = session.get_one(Rendition, (video_id, "720")).object
        other = make_video(session, make_account(session, "ben"))
        make_rendition(session, other, "720", object=stored)
    piped = stream(path, then=f"/media/{other}/720.mp4")
    with parts.transaction() as session:
        moderation.submit_order(session, parts, body.order("remove", targets=videos(video_id)))
    assert until(piped.is_reset)
    assert piped.rest() < size_bytes


def test_closed_connections_are_forgotten():
    asked = []

    def may_have(path, token, country):
        asked.append(path)
        return True

    looked = in_flight.InFlight(may_have)
    sent = in_flight.Sent("/media/1/720.mp4", 1, None, None)
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        viewer = stack.enter_context(socket.create_connection(listening.getsockname()))
        stack.enter_context(listening.accept()[0])
        looked.note(viewer.getsockname(), sent)
        for port in range(1, in_flight.FEW + 1):
            looked.note(("192.0.2.1", port), sent._replace(path="/media/2/720.mp4"))
        looked.look_again(lambda _: True)
        looked._looking.shutdown()
    assert asked == ["/media/1/720.mp4"]
