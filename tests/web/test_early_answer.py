"""Answers that go out before the body has arrived, told by a bare socket what clients suffer."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from reelm.web import early_answer

MIB = 1 << 20
PATCH = {
    "Tus-Resumable": "1.0.0",
    "Upload-Offset": "0",
    "Content-Type": "application/offset+octet-stream",
}


class Line:
    """A connection on which a test says every byte itself."""

    def __init__(self, server: str) -> None:
        host, port = urlsplit(server).netloc.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.reader = self.socket.makefile("rb")

    def begin(self, method: str, path: str, **headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def begin_upload(self, **headers: str) -> None:
        """Begin a PATCH that is refused at once, because nobody is signed in."""
        self.begin("PATCH", "/api/uploads/1", **PATCH, **headers)

    def send(self, size: int, pause_s: float = 0.0) -> None:
        """Send a body piece by piece, whatever is answered meanwhile."""
        for _ in range(0, size, MIB // 4):
            self.socket.sendall(bytes(MIB // 4))
            time.sleep(pause_s)

    def answer(self) -> tuple[int, dict[str, str]]:
        """Read one answer; return its status and headers."""
        status = int(self.reader.readline().split()[1])
        lines = iter(lambda: self.reader.readline().decode().strip(), "")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        self.reader.read(int(headers.get("content-length", 0)))
        return status, headers

    def is_ended(self) -> bool:
        """Wait until the server ends the connection; a reset would raise."""
        return self.reader.read() == b""


@pytest.fixture
def line(server: str) -> Iterator[Callable[[], Line]]:
    """Open connections."""
    with contextlib.ExitStack() as opened:

        def open_one() -> Line:
            line = Line(server)
            opened.callback(line.socket.close)
            opened.callback(line.reader.close)
            return line

        yield open_one


def test_after_a_short_rest_the_same_connection_takes_the_next_request(line) -> None:
    alive = line()
    for pause_s in (0.0, 0.01, 0.05):
        alive.begin_upload(Content_Length=str(3 * MIB))
        alive.send(3 * MIB, pause_s)
        status, headers = alive.answer()
        assert (status, headers.get("connection")) == (401, None)
        alive.begin("GET", "/healthz")
        assert alive.answer()[0] == 200


def test_a_client_that_keeps_its_connection_never_loses_a_request(server: str) -> None:
    body = bytes(3 * MIB)
    with httpx.Client(base_url=server, timeout=60) as client:
        for _ in range(30):
            assert client.patch("/api/uploads/1", content=body, headers=PATCH).status_code == 401
            assert client.post("/api/sessions", content=body).status_code == 413
            assert client.post("/media/1/720", content=body).status_code == 405


def test_a_long_rest_is_not_read_and_the_client_is_told_at_once(line) -> None:
    for method, path, status in (
        ("PATCH", "/api/uploads/1", 401),
        ("POST", "/api/sessions", 413),
        ("POST", "/media/1/720", 405),
        ("POST", "/nowhere", 404),
    ):
        told = line()
        told.begin(method, path, **PATCH, Content_Length=str(1 << 40))
        told.send(MIB)
        answered, headers = told.answer()
        assert (answered, headers["connection"]) == (status, "close")


def test_a_client_that_sends_on_still_gets_the_answer(line) -> None:
    """Far more than the sockets hold, so that a server that stops reading would break it."""
    deaf = line()
    size = early_answer.PARTING_BYTES - MIB
    deaf.begin_upload(Content_Length=str(size))
    deaf.send(size)
    status, headers = deaf.answer()
    assert (status, headers["connection"]) == (401, "close")
    assert deaf.is_ended()


def test_no_client_keeps_the_server_reading(line) -> None:
    endless = line()
    endless.begin_upload(Content_Length=str(8 << 30))
    with pytest.raises(ConnectionError):
        endless.send(8 << 30)


def test_a_rest_that_does_not_come_is_not_waited_for(line, monkeypatch) -> None:
    monkeypatch.setattr(early_answer, "SHORT_S", 0.1)
    monkeypatch.setattr(early_answer, "PARTING_S", 0.1)
    silent = line()
    silent.begin_upload(Content_Length="1000")
    silent.socket.sendall(b"x")
    status, headers = silent.answer()
    assert (status, headers["connection"]) == (401, "close")
    assert silent.is_ended()


def test_a_rest_of_unknown_length_is_read_to_the_same_bounds(line) -> None:
    piece = b"100000\r\n" + bytes(MIB) + b"\r\n"
    chunked = line()
    chunked.begin_upload(Transfer_Encoding="chunked")
    chunked.socket.sendall(3 * piece + b"0\r\n\r\n")
    status, headers = chunked.answer()
    assert (status, headers.get("connection")) == (401, None)
    chunked.begin_upload(Transfer_Encoding="chunked")
    chunked.socket.sendall(9 * piece)
    status, headers = chunked.answer()
    assert (status, headers["connection"]) == (401, "close")


def test_a_client_that_asks_first_is_refused_without_being_asked_to_send(line) -> None:
    asking = line()
    asking.begin_upload(Content_Length="1000", Expect="100-continue")
    status, headers = asking.answer()
    assert (status, headers["connection"]) == (401, "close")
    assert asking.is_ended()
