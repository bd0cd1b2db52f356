"""What becomes of the rest of a request's body when the answer goes out before it has arrived.

A refusal is often ready while the client still sends. The server may then not just close the
connection: a client that was not told sends its next request into it, and a reset can take the
answer along (RFC 9112, sections 9.3 and 9.6). So a short rest is read and dropped first; with a
long one the answer says that the connection ends, and the client is given a moment to hear it.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# One chunk of the upload page; on a fast line cheaper to read than a new connection is to make.
SHORT_BYTES = 8 << 20
SHORT_S = 1.0
# What is still read after an answer that ends the connection. A client that looks at answers while
# it sends stops by then; none can keep the server reading for longer.
PARTING_BYTES = 32 << 20
PARTING_S = 2.0


class EarlyAnswers:
    """An ASGI application around another, whose answers may come before the body has arrived."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # HTTP/2 ends a stream, not the connection, and knows no Connection header.
        if scope["type"] != "http" or not scope["http_version"].startswith("1"):
            await self.application(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            await self.application(scope, receive, send)
            return
        body = _Body(headers, receive)

        async def send_when_read(message: Message) -> None:
            if message["type"] == "http.response.start" and not await body.ends_soon():
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await self.application(scope, body.receive, send_when_read)
        await body.drop(PARTING_BYTES, PARTING_S)


class _Body:
    """The body of a request, and how far it has arrived."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        announced = headers.get("content-length", "")
        self.announced_bytes = int(announced) if announced.isdecimal() else 0
        self.arrived_bytes = 0
        self.is_over = False
        # The client waits for leave to send, which the server gives at the first read.
        self.is_held_back = headers.get("expect", "").lower() == "100-continue"
        self._receive = receive

    async def receive(self) -> Message:
        """Return the next message, as the application gets it."""
        self.is_held_back = False
        message = await self._receive()
        self.arrived_bytes += len(message.get("body", b""))
        self.is_over = not message.get("more_body", False)
        return message

    async def ends_soon(self) -> bool:
        """Read a short rest; return whether nothing is left to come."""
        if self.announced_bytes - self.arrived_bytes > SHORT_BYTES:
            return False
        await self.drop(SHORT_BYTES, SHORT_S)
        return self.is_over

    async def drop(self, most_bytes: int, most_s: float) -> None:
        """Read and forget what still comes, within bounds."""
        if self.is_over or self.is_held_back:
            return
        end_bytes = self.arrived_bytes + most_bytes
        try:
            async with asyncio.timeout(most_s):
                while not self.is_over and self.arrived_bytes < end_bytes:
                    await self.receive()
        except TimeoutError:
            return
