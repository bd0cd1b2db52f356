"""Resumable uploads by tus 1.0, https://tus.io/protocols/resumable-upload.

These are raw handlers: a body is written as it arrives and never held whole, and what has arrived
is kept when the connection breaks.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reelm import videos
from reelm.foundation.errors import Invalid, Missing, ReelmError, TooLarge, Unauthenticated
from reelm.foundation.parts import Parts
from reelm.web.endpoint import MAX_ID
from reelm.web.errors import Problem, http_problem, problem_of, problem_response
from reelm.web.viewer import viewer_of

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
OFFSET_TYPE = "application/offset+octet-stream"
# Written to the file at once: large enough to be worth a thread, small enough for many at a time.
BUFFER_BYTES = 1 << 20
BUFFER_S = 1.0
# A phone that changed networks leaves its old connection silent, not closed.
SILENT_S = 20.0
# How long a request that asks for an upload waits for the one that sends it to end.
HAND_OVER_S = 5.0
MAX_METADATA_BYTES = 16 * 1024

T = TypeVar("T")
Handler = Callable[[Parts, Request, int], Awaitable[Response]]


@dataclass
class _Arriving:
    """A request that sends an upload now, and a way to ask it to end."""

    is_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)


# By upload. A client asks for the offset when its own connection is dead to it, which this side may
# not have noticed: the old request is ended first, so that the client can go on at once.
_arriving: dict[int, _Arriving] = {}


async def uploads(parts: Parts, request: Request) -> Response:
    """Answer /api/uploads: what the server can do (OPTIONS), a new upload (POST)."""
    if request.method == "OPTIONS":
        return _abilities(parts)
    return await _answered(parts, request, _create)


async def upload(parts: Parts, request: Request) -> Response:
    """Answer /api/uploads/{upload_id}: how far it is (HEAD), more (PATCH), its end (DELETE)."""
    if request.method == "OPTIONS":
        return _abilities(parts)
    method = request.headers.get("x-http-method-override", request.method).upper()
    handlers: dict[str, Handler] = {"HEAD": _head, "PATCH": _patch, "DELETE": _delete}
    if method not in handlers:
        response = problem_response(http_problem(405, f"This address does not take {method}."))
        response.headers["allow"] = "OPTIONS, HEAD, PATCH, DELETE"
        return response
    return await _answered(parts, request, handlers[method])


def _abilities(parts: Parts) -> Response:
    return _response(
        204,
        {
            "tus-version": VERSION,
            "tus-extension": EXTENSIONS,
            "tus-max-size": str(parts.settings.upload.max_bytes),
            "tus-checksum-algorithm": ",".join(videos.CHECKSUMS),
        },
    )


async def _answered(parts: Parts, request: Request, handler: Handler) -> Response:
    if request.headers.get("tus-resumable") != VERSION:
        response = problem_response(http_problem(412, f"Send Tus-Resumable: {VERSION}."))
        response.headers["tus-version"] = VERSION
    else:
        try:
            account_id = await _in_thread(request, partial(_account_of, parts, request))
            response = await handler(parts, request, account_id)
        except ReelmError as error:
            response = problem_response(_problem(error), error)
    response.headers["tus-resumable"] = VERSION
    response.headers["cache-control"] = "no-store"
    if request.method == "HEAD":
        response.body = b""
    return response


async def _create(parts: Parts, request: Request, account_id: int) -> Response:
    if "upload-defer-length" in request.headers or "upload-concat" in request.headers:
        raise Invalid(
            "Announce the whole length by Upload-Length; it cannot be deferred or joined."
        )
    size_bytes = _number(request, "upload-length")
    draft = _draft(request.headers.get("upload-metadata", ""))

    def create() -> videos.UploadView:
        with parts.transaction() as session:
            upload_id = videos.create(
                session, parts, account_id=account_id, size_bytes=size_bytes, draft=draft
            )
            return videos.look(session, parts, account_id=account_id, upload_id=upload_id)

    made = await _in_thread(request, create)
    headers = {"location": f"/api/uploads/{made.id}", "upload-expires": _date(made.expires_at)}
    if _media_type(request) == OFFSET_TYPE:
        received = await _receive(parts, request, account_id, made.id, 0)
        headers |= _standing(received)
    return _response(201, headers)


async def _head(parts: Parts, request: Request, account_id: int) -> Response:
    upload_id = _upload_id(request)
    look = partial(_look, parts, account_id, upload_id)
    await _in_thread(request, look)  # only its owner may end the request that sends it
    await _end_other(upload_id)
    view = await _in_thread(request, look)
    headers = {
        **_standing(videos.Received(view.offset_bytes, view.video_id)),
        "upload-length": str(view.size_bytes),
        "upload-expires": _date(view.expires_at),
    }
    if view.draft.metadata:
        headers["upload-metadata"] = view.draft.metadata
    return _response(200, headers)


async def _patch(parts: Parts, request: Request, account_id: int) -> Response:
    if _media_type(request) != OFFSET_TYPE:
        return problem_response(http_problem(415, f"Send the bytes as {OFFSET_TYPE}."))
    upload_id = _upload_id(request)
    offset_bytes = _number(request, "upload-offset")
    received = await _receive(parts, request, account_id, upload_id, offset_bytes)
    headers = _standing(received)
    if received.video_id is None:
        view = await _in_thread(request, partial(_look, parts, account_id, upload_id))
        headers["upload-expires"] = _date(view.expires_at)
    return _response(204, headers)


async def _delete(parts: Parts, request: Request, account_id: int) -> Response:
    upload_id = _upload_id(request)
    await _in_thread(request, partial(_look, parts, account_id, upload_id))
    await _end_other(upload_id)

    def end() -> None:
        with parts.transaction() as session:
            videos.terminate(session, account_id=account_id, upload_id=upload_id)
        videos.discard_file(parts.home, upload_id)

    await _in_thread(request, end)
    return _response(204, {})


async def _receive(
    parts: Parts, request: Request, account_id: int, upload_id: int, offset_bytes: int
) -> videos.Received:
    begin = partial(
        videos.begin,
        parts,
        account_id=account_id,
        upload_id=upload_id,
        offset_bytes=offset_bytes,
        checksum=_checksum(request),
    )
    arrival = await _in_thread(request, begin)
    mine = _arriving[upload_id] = _Arriving()
    try:
        await _write_all(request, arrival, mine)
        return await _in_thread(request, arrival.end)
    except BaseException:
        # Whatever broke it off, the end of this process included: what has arrived is kept.
        await asyncio.shield(_in_thread(request, arrival.cut))
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
                await _in_thread(request, partial(arrival.write, data))
                written_at = time.monotonic()
    finally:
        if buffer:
            await _in_thread(request, partial(arrival.write, bytes(buffer)))


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


async def _end_other(upload_id: int) -> None:
    other = _arriving.get(upload_id)
    if other is None:
        return
    other.is_wanted.set()
    try:
        await asyncio.wait_for(other.has_ended.wait(), HAND_OVER_S)
    except TimeoutError:
        raise videos.Locked("Another request is sending this upload: wait a moment.") from None


async def _in_thread(request: Request, work: Callable[[], T]) -> T:
    executor = request.app.state.executor
    return await asyncio.get_running_loop().run_in_executor(executor, work)


def _account_of(parts: Parts, request: Request) -> int:
    with parts.transaction() as session:
        account_id = viewer_of(session, parts, request).account_id
    if account_id is None:
        raise Unauthenticated("Sign in first.")
    return account_id


def _look(parts: Parts, account_id: int, upload_id: int) -> videos.UploadView:
    with parts.transaction() as session:
        return videos.look(session, parts, account_id=account_id, upload_id=upload_id)


def _upload_id(request: Request) -> int:
    text = request.path_params["upload_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= MAX_ID):
        raise Missing("There is no such upload of yours.")
    return int(text)


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid(f"The header {name.title()} must be a number of bytes.")
    return int(text)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _checksum(request: Request) -> videos.Checksum | None:
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    try:
        return videos.Checksum(algorithm, base64.b64decode(digest, validate=True))
    except (binascii.Error, ValueError):
        raise Invalid("Upload-Checksum must be an algorithm and a Base64 digest.") from None


def _draft(header: str) -> videos.Draft:
    words = _metadata(header)
    return videos.Draft(
        file_name=words.get("filename", words.get("name", "")),
        caption=words.get("caption", ""),
        audience=words.get("audience") or "private",
        language=words.get("language") or None,
        metadata=header,
    )


def _metadata(header: str) -> dict[str, str]:
    if len(header) > MAX_METADATA_BYTES:
        raise Invalid(f"Upload-Metadata may have at most {MAX_METADATA_BYTES} bytes.")
    found: dict[str, str] = {}
    for pair in filter(None, (piece.strip() for piece in header.split(","))):
        key, _, value = pair.partition(" ")
        if key in found:
            raise Invalid("Upload-Metadata has one key twice.")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Invalid("Each value of Upload-Metadata must be UTF-8 in Base64.") from None
    return found


def _standing(received: videos.Received) -> dict[str, str]:
    headers = {"upload-offset": str(received.offset_bytes)}
    if received.video_id is not None:
        headers["reelm-video-id"] = str(received.video_id)
    return headers


def _response(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"tus-resumable": VERSION, **headers})


def _problem(error: ReelmError) -> Problem:
    problem = problem_of(error)
    if isinstance(error, videos.WrongChecksum):
        # tus takes the unregistered status 460 for this.
        return Problem(
            type=problem.type, title="Checksum Mismatch", status=460, detail=error.sentence
        )
    if isinstance(error, videos.Locked):
        return http_problem(423, error.sentence)
    return problem


def _date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
