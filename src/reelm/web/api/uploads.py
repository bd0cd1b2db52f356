"""Resumable uploads by tus 1.0, https://tus.io/protocols/resumable-upload.

These are raw handlers: a body is written as it arrives and never held whole, and what has arrived
is kept when the connection breaks.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from reelm import videos
from reelm.foundation.errors import Invalid, Missing, ReelmError
from reelm.foundation.ids import MAX_ID
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of, acting_account
from reelm.web.errors import Problem, http_problem, problem_of, problem_response
from reelm.web.tus_body import end_other, in_thread, receive
from reelm.web.tus_headers import date, draft, media_type, number
from reelm.web.viewer import viewer_of

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
OFFSET_TYPE = "application/offset+octet-stream"
Handler = Callable[[Parts, Request, int], Awaitable[Response]]


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
            account_id = await in_thread(request, partial(_account_of, parts, request))
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
    size_bytes = number(request, "upload-length")
    words = draft(request)

    def create() -> videos.UploadView:
        with parts.transaction() as session:
            upload_id = videos.create(
                session, parts, account_id=account_id, size_bytes=size_bytes, draft=words
            )
            return videos.look(session, parts, account_id=account_id, upload_id=upload_id)

    made = await in_thread(request, create)
    headers = {"location": f"/api/uploads/{made.id}", "upload-expires": date(made.expires_at)}
    if media_type(request) == OFFSET_TYPE:
        received = await receive(parts, request, account_id, made.id, 0)
        headers |= _standing(received)
    return _response(201, headers)


async def _head(parts: Parts, request: Request, account_id: int) -> Response:
    upload_id = _upload_id(request)
    look = partial(_look, parts, account_id, upload_id)
    await in_thread(request, look)  # only its owner may end the request that sends it
    await end_other(upload_id)
    view = await in_thread(request, look)
    headers = {
        **_standing(videos.Received(view.offset_bytes, view.video_id)),
        "upload-length": str(view.size_bytes),
        "upload-expires": date(view.expires_at),
    }
    if view.draft.metadata:
        headers["upload-metadata"] = view.draft.metadata
    return _response(200, headers)


async def _patch(parts: Parts, request: Request, account_id: int) -> Response:
    if media_type(request) != OFFSET_TYPE:
        return problem_response(http_problem(415, f"Send the bytes as {OFFSET_TYPE}."))
    upload_id = _upload_id(request)
    offset_bytes = number(request, "upload-offset")
    received = await receive(parts, request, account_id, upload_id, offset_bytes)
    headers = _standing(received)
    if received.video_id is None:
        view = await in_thread(request, partial(_look, parts, account_id, upload_id))
        headers["upload-expires"] = date(view.expires_at)
    return _response(204, headers)


async def _delete(parts: Parts, request: Request, account_id: int) -> Response:
    upload_id = _upload_id(request)
    await in_thread(request, partial(_look, parts, account_id, upload_id))
    await end_other(upload_id)

    def end() -> None:
        with parts.transaction() as session:
            videos.terminate(session, account_id=account_id, upload_id=upload_id)
        videos.discard_file(parts.home, upload_id)

    await in_thread(request, end)
    return _response(204, {})


def _account_of(parts: Parts, request: Request) -> int:
    with parts.transaction() as session:
        viewer = viewer_of(session, parts, request)
        if request.method in ("HEAD", "DELETE"):
            return account_id_of(viewer)
        return acting_account(session, viewer)


def _look(parts: Parts, account_id: int, upload_id: int) -> videos.UploadView:
    with parts.transaction() as session:
        return videos.look(session, parts, account_id=account_id, upload_id=upload_id)


def _upload_id(request: Request) -> int:
    text = request.path_params["upload_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= MAX_ID):
        raise Missing("There is no such upload of yours.")
    return int(text)


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
