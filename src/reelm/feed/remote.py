"""The verbs of the feed that learns between processes of one machine, over a Unix socket.

A message is its length in 4 bytes, little-endian, and MessagePack: `[verb, [arguments]]` there,
`[result]` or `[error's kind, sentence, seconds]` back; plain values only. The socket is in the
region home with mode 0600, so whoever may read the region's keys may connect, and nobody else.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from typing import Any

import msgspec

from reelm.feed.given import Why
from reelm.feed.holder import Holder
from reelm.feed.log.appender import HELD, STARTING
from reelm.feed.log.ticket import IN_DOUBT, PATIENCE_S, unavailable
from reelm.feed.ranker import Ask, Pick
from reelm.feed.signals import Signal
from reelm.foundation.errors import Invalid, RateLimited, ReelmError, TooLarge, Unavailable
from reelm.foundation.home import Home
from reelm.foundation.logs import Line

log = logging.getLogger(__name__)
LEFT = Line("another process has left: {error}")
FAILED = Line("a verb of the feed failed")

SOCKET = "feed-socket"
LENGTH_BYTES = 4
# A page of signals or of reasons is some kilobytes; all that is known of a viewer, some hundred.
MOST_BYTES = 16 << 20
ANSWER_S = PATIENCE_S + 2.0
# verb -> types of its arguments and of its result
VERBS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "observe": ((list[Signal],), None),
    "recommend": ((Ask,), list[Pick]),
    "why": ((int, int), Why | None),
    "known_of": ((int,), dict[str, Any]),
    "forget": ((int,), None),
    "learned": ((), float),
}
_ERRORS = {Invalid.kind: Invalid, TooLarge.kind: TooLarge}


class Door:
    """Answers other processes in the name of the holder, one thread for each connection."""

    def __init__(self, home: Home, holder: Holder) -> None:
        self._home, self._holder = home, holder
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    def open(self) -> None:
        """Listen, unless it does already; the socket of a process before is replaced."""
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        os.fchmod(listener.fileno(), 0o600)  # before bind, so that it never has another mode
        with _address(self._home) as address:
            with suppress(FileNotFoundError):
                os.unlink(address)  # noqa: PTH108 - a path below /proc is no place for Path
            listener.bind(address)
        listener.listen(64)
        self._listener = listener
        threading.Thread(
            target=self._accept, args=(listener,), name="feed-door-accept", daemon=True
        ).start()

    def close(self) -> None:
        """Stop listening and end all connections."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        _end(listener)
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _end(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection,), name="feed-door", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while (data := _received(connection)) is not None:
                _send(connection, self._answer(data))
        except OSError as error:
            log.info(LEFT(error=error))
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, data: bytes) -> bytes:
        try:
            verb, given = msgspec.msgpack.decode(data, type=tuple[str, list[Any]])
            arguments = [
                msgspec.convert(one, kind) for one, kind in zip(given, VERBS[verb][0], strict=True)
            ]
            return msgspec.msgpack.encode([getattr(self._holder, verb)(*arguments)])
        except ReelmError as error:
            wait_s = getattr(error, "retry_after_s", 0)
            return msgspec.msgpack.encode([error.kind, error.sentence, wait_s])
        except Exception:
            # Whatever it was, the asking request gets an answer and the connection goes on.
            log.exception(FAILED())
            sentence = "Something went wrong in the process that runs the feed that learns."
            return msgspec.msgpack.encode([Unavailable.kind, sentence, 0])


class Remote:
    """The verbs of the holder in another process."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._free: LifoQueue[socket.socket] = LifoQueue()
        self.is_there = False

    def look(self) -> None:
        """Find out whether another process answers."""
        if self._free.empty():
            self.is_there = self._can_connect()

    def close(self) -> None:
        """End all connections."""
        self.is_there = False
        with suppress(Empty):
            while True:
                self._free.get_nowait().close()

    def observe(self, signals: Sequence[Signal]) -> None:
        """As Holder.observe."""
        self._call("observe", list(signals))

    def recommend(self, ask: Ask) -> list[Pick]:
        """As Holder.recommend."""
        picks: list[Pick] = self._call("recommend", ask)
        return picks

    def why(self, viewer_id: int, video_id: int) -> Why | None:
        """As Holder.why."""
        why: Why | None = self._call("why", viewer_id, video_id)
        return why

    def known_of(self, viewer_id: int) -> dict[str, object]:
        """As Holder.known_of."""
        known: dict[str, object] = self._call("known_of", viewer_id)
        return known

    def forget(self, viewer_id: int) -> None:
        """As Holder.forget."""
        self._call("forget", viewer_id)

    def learned(self) -> float:
        """As Holder.learned."""
        share: float = self._call("learned")
        return share

    def _call(self, verb: str, *arguments: Any) -> Any:
        message = msgspec.msgpack.encode([verb, arguments])
        connection = self._sent(message)
        try:
            data = _received(connection)
        except OSError:
            data = None
        if data is None:
            connection.close()
            self._forget_connections()
            raise Unavailable(IN_DOUBT if verb in ("observe", "forget") else STARTING)
        self._free.put(connection)
        answer = msgspec.msgpack.decode(data, type=list[Any])
        if len(answer) == 1:
            return msgspec.convert(answer[0], VERBS[verb][1])
        kind, sentence, wait_s = answer
        if kind == RateLimited.kind:
            raise RateLimited(sentence, retry_after_s=int(wait_s))
        raise _ERRORS.get(kind, unavailable)(sentence)

    def _sent(self, message: bytes) -> socket.socket:
        """Return a connection that has taken the message; an old one may have ended meanwhile."""
        for is_last in (False, True):
            try:
                connection = self._connect() if is_last else self._free.get_nowait()
            except Empty:
                continue
            except OSError:
                self.is_there = False
                raise Unavailable(HELD) from None
            try:
                _send(connection, message)
            except OSError:
                connection.close()
                self._forget_connections()
            else:
                return connection
        raise Unavailable(STARTING)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        try:
            with _address(self._home) as address:
                connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection

    def _can_connect(self) -> bool:
        try:
            self._free.put(self._connect())
        except OSError:
            return False
        return True

    def _forget_connections(self) -> None:
        """Drop the free connections: their other end has most likely gone as well."""
        with suppress(Empty):
            while True:
                self._free.get_nowait().close()


@contextmanager
def _address(home: Home) -> Iterator[str]:
    """Yield the socket's address; by way of a descriptor no path is too long for a socket."""
    folder = os.open(home.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def _send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(len(message).to_bytes(LENGTH_BYTES, "little") + message)


def _received(connection: socket.socket) -> bytes | None:
    """Return the next message, or None when the other side has ended."""
    head = _exactly(connection, LENGTH_BYTES)
    length = int.from_bytes(head or b"", "little")
    if head is None or length > MOST_BYTES:
        return None
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        some = connection.recv(min(count - len(data), 1 << 20))
        if not some:
            return None
        data += some
    return bytes(data)


def _end(ended: socket.socket) -> None:
    with suppress(OSError):
        ended.shutdown(socket.SHUT_RDWR)
    ended.close()
