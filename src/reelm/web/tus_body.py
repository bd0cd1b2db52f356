"""The body of an upload request, written as it arrives; what arrived is kept when it breaks off."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from reelm import videos
from reelm.foundation.errors import Invalid, TooLarge
from reelm.foundation.parts import Parts
from reelm.web import tus_headers

# Written to the file at once: large enough to be worth a thread, small enough for many at a time.
BUFFER_BYTES = 1 << 20
BUFFER_S = 1.0
# A phone that changed networks leaves its old connection silent, not closed.
SILENT_S = 20.0
# How long a request that asks for an upload waits for the one that sends it to end.
HAND_OVER_S = 5.0

T = TypeVar("T")


@dataclass
class _Arriving:
    """A request that sends an upload now, and a way to ask it to end."""

    is_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)


# By upload. A client asks for the offset when its own connection is dead to it, which this side may
# not have noticed: the old request is ended first, so that the client can go on at once.
_arriving: dict[int, _Arriving] = {}


async def receive(
    parts: Parts, request: Request, account_id: int, upload_id: int, offset_bytes: int
) -> videos.Received:
    """Write the body to an upload and return how far it is now."""
    begin = partial(
        videos.begin,
        parts,
        account_id=account_id,
        upload_id=upload_id,
        offset_bytes=offset_bytes,
        checksum=tus_headers.checksum(request),
    )
    arrival = await in_thread(request, begin)
    mine = _arriving[upload_id] = _Arriving()
    try:
        await _write_all(request, arrival, mine)
        return await in_thread(request, arrival.end)
    except BaseException:
        # Whatever broke it off, the end of this process included: what has arrived is kept.
        await asyncio.shield(in_thread(request, arrival.cut))
        raise
    finally:
        mine.has_ended.set()
        if _arriving.get(upload_id) is mine:
            del _arriving[upload_id]


async def _write_all(request: Request, arrival: videos.Arrival, mine: _Arriving) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and arrival.offset_bytes + int(announced) > arrival.size_bytes:
        raise TooLarge(f"The upload was announced with {arrival.size_bytes} bytes.")
    buffer = bytearray()
    written_at = time.monotonic()
    try:
        async for chunk in _chunks(request, mine):
            buffer += chunk
            if len(buffer) >= BUFFER_BYTES or time.monotonic() - written_at > BUFFER_S:
                data = bytes(buffer)
                buffer.clear()
                await in_thread(request, partial(arrival.write, data))
                written_at = time.monotonic()
    finally:
        if buffer:
            await in_thread(request, partial(arrival.write, bytes(buffer)))


async def _chunks(request: Request, mine: _Arriving) -> AsyncIterator[bytes]:
    stream = request.stream()
    wanted = asyncio.ensure_future(mine.is_wanted.wait())
    try:
        while True:
            following = asyncio.ensure_future(_next(stream))
            await asyncio.wait(
                {following, wanted}, timeout=SILENT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not following.done():
                following.cancel()
                raise Invalid("The connection fell silent; what arrived is kept.")
            chunk = following.result()
            if chunk is None:
                return
            yield chunk
    except ClientDisconnect:
        raise Invalid("The connection broke off; what arrived is kept.") from None
    finally:
        wanted.cancel()


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    return await anext(stream, None)


async def end_other(upload_id: int) -> None:
    """End the request that sends an upload now, if there is one, and wait until it has ended."""
    other = _arriving.get(upload_id)
    if other is None:
        return
    other.is_wanted.set()
    try:
        await asyncio.wait_for(other.has_ended.wait(), HAND_OVER_S)
    except TimeoutError:
        raise videos.Locked("Another request is sending this upload: wait a moment.") from None


async def in_thread(request: Request, work: Callable[[], T]) -> T:
    """Do blocking work in one of the threads that answer requests."""
    executor = request.app.state.executor
    return await asyncio.get_running_loop().run_in_executor(executor, work)
