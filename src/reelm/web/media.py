"""Media over HTTP: byte ranges, ETag, HEAD, and the visibility rule before every chunk.

An answer is `private, no-cache` with an ETag: a withheld video must stop at once, so nothing on
the way may keep it. The rule is asked from memory (media_index.py); no query per range.
"""

import asyncio
import os
from functools import partial
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser
from starlette.types import Receive, Scope, Send

from reelm.foundation.errors import Missing, ReelmError, Unavailable
from reelm.foundation.parts import Parts
from reelm.regions import SERVICE
from reelm.web import metrics
from reelm.web.errors import http_problem, problem_of, problem_response
from reelm.web.in_flight import InFlight, Sent
from reelm.web.media_index import MediaFile, MediaIndex, Place
from reelm.web.ranges import ByteRange, Unsatisfiable, parse_range
from reelm.web.viewer import SESSION_COOKIE, country_at
from reelm.web.withholding import Changes, Hearer, ServiceBlock, refuse_service

# One read and one send up to here; measured best on the event loop at 1 MiB.
CHUNK_BYTES = 1 << 20
# A viewer with a slow connection keeps a chunk in memory; so chunks get smaller with many viewers.
CHUNKS_BYTES = 128 << 20
LEAST_CHUNK_BYTES = 64 << 10


class _Ask(NamedTuple):
    """Which file somebody asks for: the address, the session's token, and where from."""

    path: str
    token: str | None
    place: Place


class Media:
    """The ASGI application below /media/ and /avatars/."""

    def __init__(self, parts: Parts, changes: Changes, block: ServiceBlock) -> None:
        self.index = MediaIndex(parts, changes)
        self.block = block
        self.parts = parts
        self.store = parts.store
        # After the index, which has dropped what it knew when this looks again.
        self.in_flight = InFlight(self._may_have)
        self._sending = 0  # responses that are not over
        look_again = self.in_flight.look_again
        changes.tell(Hearer(self._on_change, lambda: look_again(lambda _: True)))

    def stop(self) -> None:
        """End the thread that looks after what is on its way."""
        self.in_flight.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in {"GET", "HEAD"}:
            problem = http_problem(405, f"Media addresses do not take {scope['method']}.")
            response = problem_response(problem)
            response.headers["allow"] = "GET, HEAD"
            await response(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        except ReelmError as error:
            await problem_response(problem_of(error), error)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        token = _session_token(headers)
        ask = _Ask(scope["path"], token, partial(country_at, self.parts, HTTPConnection(scope)))
        file = await self._find(ask)
        if scope["client"] and scope["method"] == "GET":
            sent = Sent(ask.path, file.account_id, token, ask.place())
            self.in_flight.note(tuple(scope["client"]), sent)
            # Once more, as a change between the two was told of before there was a note.
            file = await self._find(ask)
        fixed = _headers_of(file)
        if file.etag in headers.get("if-none-match", ""):
            await _send_empty(send, 304, fixed)
            return
        wanted = None
        if headers.get("if-range", file.etag) == file.etag:
            try:
                wanted = parse_range(headers.get("range"), file.size_bytes)
            except Unsatisfiable:
                end = (b"content-range", f"bytes */{file.size_bytes}".encode())
                await _send_empty(send, 416, [*fixed[:4], end])
                return
        span = wanted or ByteRange(0, file.size_bytes - 1)
        fixed.append((b"content-length", str(span.length).encode()))
        status = 200
        if wanted is not None:
            status = 206
            text = f"bytes {span.start}-{span.end}/{file.size_bytes}"
            fixed.append((b"content-range", text.encode()))
        await send({"type": "http.response.start", "status": status, "headers": fixed})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        self._sending += 1
        try:
            await self._send_span(ask, file, span, receive, send)
        finally:
            self._sending -= 1

    async def _send_span(
        self, ask: _Ask, file: MediaFile, span: ByteRange, receive: Receive, send: Send
    ) -> None:
        position, end = span.start, span.end + 1
        most = max(LEAST_CHUNK_BYTES, min(CHUNK_BYTES, CHUNKS_BYTES // self._sending))
        gone = None if span.length <= most else asyncio.ensure_future(_left(receive))
        try:
            while position < end:
                length = min(most, end - position)
                chunk = await self._read(file, position, length)
                position += len(chunk)
                metrics.MEDIA_BYTES.inc(len(chunk))
                message = {"body": chunk, "more_body": position < end}
                await send({"type": "http.response.body", **message})
                if position < end and (len(chunk) < length or (gone and gone.done())):
                    return
                if position < end and not await self._is_still(file, ask):
                    # Withheld, deleted or replaced meanwhile: the connection is cut short.
                    return
        finally:
            if gone is not None:
                gone.cancel()

    async def _find(self, ask: _Ask) -> MediaFile:
        by = self.block.from_memory()
        if by is None:
            by = await asyncio.to_thread(self.block.load)
        if by:
            refuse_service(by, ask.place())
        file = self.index.from_memory(*ask)
        if file is None:
            file = await asyncio.to_thread(self.index.load, *ask)
        return file

    async def _is_still(self, file: MediaFile, ask: _Ask) -> bool:
        try:
            return (await self._find(ask)).etag == file.etag
        except ReelmError:
            return False

    def _may_have(self, path: str, token: str | None, country: str | None) -> bool:
        try:
            by = self.block.from_memory()
            refuse_service(self.block.load() if by is None else by, country)
            self.index.load(path, token, lambda: country)
        except Unavailable:
            return True  # It is looked at again when the database is back.
        except ReelmError:
            return False
        return True

    def _on_change(self, kind: str, number: int) -> None:
        address = f"/media/{number}/"

        def concerns(sent: Sent) -> bool:
            if kind != "video" and number in (sent.account_id, SERVICE):
                return True
            return kind != "account" and sent.path.startswith(address)

        self.in_flight.look_again(concerns)

    async def _read(self, file: MediaFile, start: int, length: int) -> bytes:
        if file.data is not None:
            return file.data[start : start + length]
        if file.opened is not None:
            return os.pread(file.opened.descriptor, length, start)
        if file.key is None:
            raise Missing("There is nothing at this address.")
        return await asyncio.to_thread(self.store.get_range, file.key, start, length)


def _headers_of(file: MediaFile) -> list[tuple[bytes, bytes]]:
    return [
        (b"etag", file.etag.encode()),
        (b"cache-control", b"private, no-cache"),
        (b"accept-ranges", b"bytes"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-type", file.media_type.encode()),
    ]


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_empty(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    headers = [*headers, (b"content-length", b"0")] if status != 304 else headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _session_token(headers: Headers) -> str | None:
    cookie = headers.get("cookie", "")
    if SESSION_COOKIE not in cookie:
        return None
    # As the other pages read it; http.cookies takes five times as long, at every range.
    return cookie_parser(cookie).get(SESSION_COOKIE)
