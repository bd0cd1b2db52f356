"""The HTTP server of a web process, on the listening socket that the supervisor has bound."""

import asyncio
import resource
from typing import Any

from granian import net
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from reelm.commands.listening import BACKLOG

# Requests that one web process answers at once; most of them are media on slow connections.
MOST_AT_ONCE = 8192
MOST_DESCRIPTORS = 16384
# Of each connection; Granian's own 408 KiB filled for each viewer with a slow one.
BUFFER_BYTES = 64 << 10
# An open stream or a running encode does not hold up the stop for longer.
GRACE_S = 3.0


async def serve_http(application: ASGIApp, stop: asyncio.Event, listener: int) -> None:
    """Answer requests until `stop`; `listener` is the number of the socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    server = _InheritedServer(application, listener)
    serving = asyncio.ensure_future(server.serve())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=GRACE_S)


class _InheritedServer(Server):
    """Granian in this process, on a listening socket that the supervisor has bound."""

    def __init__(self, application: ASGIApp, descriptor: int) -> None:
        self._descriptor = descriptor
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            # HTTP/2 is for the proxy in front. Granian gathers a whole response for each of its
            # streams, however slowly it is fetched.
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            # Granian's own 128 let as many viewers with slow connections keep out all others.
            backpressure=MOST_AT_ONCE,
            http1_settings=HTTP1Settings(max_buffer_size=BUFFER_BYTES),
        )

    def _init_shared_socket(self) -> None:
        # What Granian's own processes hand to each other; its type stubs do not say so.
        holder: Any = net
        given: Any = self
        given._shd = holder.SocketHolder(self._descriptor, False, BACKLOG)  # noqa: SLF001
        given._sfd = self._descriptor  # noqa: SLF001
        given._ssp = None  # noqa: SLF001
