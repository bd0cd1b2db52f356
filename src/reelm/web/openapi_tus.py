"""What OpenAPI says of the tus endpoints, whose protocol is in headers (tus.io, version 1.0.0)."""

from typing import Any

from reelm.web.api.uploads import OFFSET_TYPE

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_MEANINGS = {
    200: "Where the upload stands, in Upload-Offset, Upload-Length and Upload-Expires.",
    201: "The upload is begun; Location is its address.",
    204: "Done; after the last byte Reelm-Video-Id names the video.",
    400: "A header or the body is not as it should be.",
    401: "Nobody is signed in.",
    403: "The request was sent by another site.",
    404: "The viewer has no such upload.",
    405: "This address does not take that method.",
    409: "Upload-Offset is not where the upload stands.",
    410: "The upload has ended.",
    412: "Tus-Resumable is missing or of another version.",
    413: "Larger than was announced, than the limit, or than the quota leaves.",
    415: f"The body must be sent as {OFFSET_TYPE}.",
    423: "Another request is sending this upload.",
    460: "The checksum does not match; the bytes were dropped.",
    503: "A part that this needs is not there just now.",
}


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    words = {"name": name, "in": "header", "required": required, "description": description}
    return words | {"schema": schema}


_VERSION = _header("Tus-Resumable", "Always 1.0.0.", required=True)
_VERSION["schema"] = {"type": "string", "enum": ["1.0.0"]}
_CHECKSUM = _header("Upload-Checksum", "sha1, sha256 or md5, a space, and the digest in Base64.")
_ID = {
    "name": "upload_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"},
}
# Not declared as a request body: generators of clients know no encoder for tus's media type.
_BODY = f"The body is the bytes, sent as `{OFFSET_TYPE}`."


def _operation(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    statuses: tuple[int, ...],
    **more: Any,
) -> dict[str, Any]:
    responses = {
        str(status): {"description": _MEANINGS[status]}
        | ({"content": _PROBLEM} if status >= 400 and name != "uploads.head" else {})
        for status in (*statuses, 400, 401, 412, 503)
    }
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["uploads"],
        "security": [{"session": []}],
        "parameters": parameters,
        "responses": responses,
    } | more


TUS_PATHS: dict[str, Any] = {
    "/api/uploads": {
        "options": {
            "operationId": "uploads.options",
            "summary": "Tell the version, extensions and largest size",
            "tags": ["uploads"],
            "responses": {"204": {"description": "In Tus-Version, Tus-Extension, Tus-Max-Size."}},
        },
        "post": _operation(
            "uploads.create",
            "Begin an upload, with its first bytes if there is a body",
            [
                _VERSION,
                _header("Upload-Length", "Size of the whole file in bytes.", required=True),
                _header("Upload-Metadata", "filename, caption, audience, language in Base64."),
                _CHECKSUM,
            ],
            (201, 403, 409, 413, 415, 423, 460),
            description=_BODY,
        ),
    },
    "/api/uploads/{upload_id}": {
        "head": _operation(
            "uploads.head", "Ask how far it is", [_ID, _VERSION], (200, 404, 410, 423)
        ),
        "patch": _operation(
            "uploads.append",
            "Send more bytes",
            [
                _ID,
                _VERSION,
                _header("Upload-Offset", "Where these bytes begin.", required=True),
                _CHECKSUM,
            ],
            (204, 403, 404, 409, 410, 413, 415, 423, 460),
            description=_BODY,
        ),
        "delete": _operation(
            "uploads.terminate", "End it", [_ID, _VERSION], (204, 403, 404, 409, 410, 423)
        ),
    },
}
