"""Cut what is on its way when it may not be seen any more.

A response that was handed over is not yet with the viewer: the server and the kernel hold up to
some megabytes of it, which a slow connection takes a while to fetch. So what media was sent over
each connection is remembered as long as the connection is open, and when a change withholds one of
them, the connection is reset: what had not left yet is thrown away.

With a proxy in front, the connection is the proxy's. It must not gather responses itself
(docs/operate.md says how), or it goes on sending what it has gathered.
"""

import os
import resource
import socket
import stat
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

# Responses follow one another over a connection, so what was sent long before the last is there.
LAST_SENT = 4
# So many connections are remembered before those that have closed since are looked for.
FEW = 1000
# Closed so, the kernel sends a reset and drops what it has not sent (man 7 socket, SO_LINGER).
_AT_ONCE = struct.pack("ii", 1, 0)

Peer = tuple[str, int]


class Sent(NamedTuple):
    """What was sent, and to whom."""

    path: str
    account_id: int
    token: str | None
    country: str | None


class InFlight:
    """The connections of this process with the media that was sent over each last.

    Args:
        may_have: tells whether a viewer (path, session's token, country) may still have a file.
    """

    def __init__(self, may_have: Callable[[str, str | None, str | None], bool]) -> None:
        self._may_have = may_have
        self._lock = threading.Lock()
        self._sent: dict[Peer, deque[Sent]] = {}
        self._look_for_closed_at = FEW
        self._looking = ThreadPoolExecutor(1, "in-flight")

    def stop(self) -> None:
        """End the thread that looks after connections."""
        self._looking.shutdown(cancel_futures=True)

    def note(self, peer: Peer, sent: Sent) -> None:
        """Remember what is sent over a connection from now on."""
        with self._lock:
            # Made anew each time: what is looked at elsewhere stays as it was.
            self._sent[peer] = deque((*self._sent.get(peer, ()), sent), LAST_SENT)
            is_time = len(self._sent) > self._look_for_closed_at
            if is_time:
                self._look_for_closed_at = 2 * len(self._sent)
        if is_time:
            with suppress(RuntimeError):  # at the end of the process
                self._looking.submit(self._forget_closed)

    def look_again(self, concerns: Callable[[Sent], bool]) -> None:
        """Have the connections reset that carry what their viewers may not have any more.

        Args:
            concerns: tells whether a change may concern what was sent.
        """
        self._looking.submit(self._look_again, concerns)

    def _look_again(self, concerns: Callable[[Sent], bool]) -> None:
        with self._lock:
            asked = [
                (peer, sent) for peer, all_ in self._sent.items() for sent in all_ if concerns(sent)
            ]
        known: dict[tuple[str, str | None, str | None], bool] = {}
        gone = set[Peer]()
        for peer, sent in asked:
            # What a stranger there may have anybody may have; only else the session matters.
            for token in (None, sent.token):
                ask = (sent.path, token, sent.country)
                if ask not in known:
                    known[ask] = self._may_have(*ask)
                if known[ask]:
                    break
            else:
                gone.add(peer)
        if gone:
            reset(gone)
            with self._lock:
                for peer in gone:
                    self._sent.pop(peer, None)

    def _forget_closed(self) -> None:
        with self._lock:
            before = dict(self._sent)
        is_open = {peer for peer, _ in _connections()}
        with self._lock:
            for peer, sent in before.items():
                # Noted again meanwhile: another connection from there.
                if _plain(peer) not in is_open and self._sent.get(peer) is sent:
                    del self._sent[peer]
            self._look_for_closed_at = max(FEW, 2 * len(self._sent))


def reset(peers: set[Peer]) -> int:
    """Reset this process's TCP connections to these peers, and return how many there were."""
    wanted, count = {_plain(peer) for peer in peers}, 0
    for peer, connection in _connections():
        if peer in wanted:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                connection.shutdown(socket.SHUT_RDWR)
                count += 1
    return count


def _connections() -> Iterator[tuple[Peer, socket.socket]]:
    """Yield this process's TCP connections with their peers, each open until the next."""
    # Every number there may be: /proc/self/fd is closed to a process that may not be dumped.
    for number in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        # Another thread may close or reuse a number meanwhile; the peer is what decides.
        with suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with _socket(os.dup(number)) as connection:
                if connection.family in (socket.AF_INET, socket.AF_INET6):
                    yield _plain(connection.getpeername()[:2]), connection


def _socket(descriptor: int) -> socket.socket:
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _plain(peer: Peer) -> Peer:
    # The server gives the port as text.
    return peer[0].removeprefix("::ffff:"), int(peer[1])
