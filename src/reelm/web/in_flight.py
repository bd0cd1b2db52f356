"""Cut what is on its way when it may not be seen any more.

A response that was handed over is not yet with the viewer: the server and the kernel hold up to
some megabytes of it, which a slow connection takes a while to fetch. So the connections over which
media was sent last are remembered, and when a change withholds what one of them carries, the
connection is reset: what had not left yet is thrown away.

With a proxy in front, the connection is the proxy's. It must not gather responses itself
(docs/operate.md says how), or it goes on sending what it has gathered.
"""

import os
import resource
import socket
import stat
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

# A connection is remembered for as long as one chunk takes at a speed that nobody can watch at.
REMEMBER_S = 600.0
MOST_CONNECTIONS = 20_000
# Closed so, the kernel sends a reset and drops what it has not sent (man 7 socket, SO_LINGER).
_AT_ONCE = struct.pack("ii", 1, 0)

Peer = tuple[str, int]


class Sent(NamedTuple):
    """What was sent last over a connection: to an address, and until when it counts."""

    path: str
    account_id: int
    token: str | None
    country: str | None
    until: float


class InFlight:
    """The connections of this process that media was sent over last.

    Args:
        may_have: tells whether a viewer (path, session's token, country) may still have a file.
    """

    def __init__(self, may_have: Callable[[str, str | None, str | None], bool]) -> None:
        self._may_have = may_have
        self._lock = threading.Lock()
        self._sent: OrderedDict[Peer, Sent] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sent)

    def note(self, peer: Peer, sent: Sent) -> None:
        """Remember what is sent over a connection from now on."""
        with self._lock:
            self._sent[peer] = sent
            self._sent.move_to_end(peer)
            while len(self._sent) > MOST_CONNECTIONS:
                self._sent.popitem(last=False)

    def look_again(self, concerns: Callable[[Sent], bool]) -> None:
        """Reset the connections that carry what their viewers may not have any more.

        Args:
            concerns: tells whether a change may concern what was sent.
        """
        moment = time.monotonic()
        with self._lock:
            while self._sent and next(iter(self._sent.values())).until < moment:
                self._sent.popitem(last=False)
            asked = [(peer, sent) for peer, sent in self._sent.items() if concerns(sent)]
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


def reset(peers: Iterable[Peer]) -> int:
    """Reset this process's TCP connections to these peers, and return how many there were."""
    wanted, count = {_plain(peer) for peer in peers}, 0
    # Every number there may be: /proc/self/fd is closed to a process that may not be dumped.
    for number in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        # Another thread may close or reuse a number meanwhile; the peer is what decides.
        with suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with _socket(os.dup(number)) as connection:
                if connection.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                if _plain(connection.getpeername()[:2]) in wanted:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                    connection.shutdown(socket.SHUT_RDWR)
                    count += 1
    return count


def _socket(descriptor: int) -> socket.socket:
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _plain(peer: Peer) -> Peer:
    # The server gives the port as text.
    return peer[0].removeprefix("::ffff:"), int(peer[1])
