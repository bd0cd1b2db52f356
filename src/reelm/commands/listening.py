"""The one socket on which the region is reached: the supervisor binds it, web processes inherit it.

So a web process never makes a socket of its own, and is locked before it runs its first line.
"""

import socket

from reelm.foundation.errors import Conflict

# A burst of new connections waits here; the kernel cuts it to net.core.somaxconn.
BACKLOG = 1024
# What is written and has not left yet is in the kernel's memory; as much for each viewer as keeps a
# fast connection busy between two writes (man 7 tcp). By default it may be some megabytes.
UNSENT_BYTES = 256 << 10


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens at `address` on `port`, or on any free one for 0.

    Raises:
        Conflict: the port is taken or may not be used.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Each connection that is accepted inherits it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    try:
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        sentence = f"Port {port} at {address} cannot be used: {error.strerror}."
        raise Conflict(f"{sentence} Choose another with REELM_HTTP_PORT.") from None
    listener.setblocking(False)
    return listener
