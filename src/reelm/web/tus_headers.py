"""The headers of tus 1.0: what a client sends, checked, and the date it is given."""

import base64
import binascii
from datetime import datetime
from email.utils import format_datetime

from starlette.requests import Request

from reelm import videos
from reelm.foundation.errors import Invalid

MAX_METADATA_BYTES = 16 * 1024


def number(request: Request, name: str) -> int:
    """Return a header that must be a number of bytes."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid(f"The header {name.title()} must be a number of bytes.")
    return int(text)


def media_type(request: Request) -> str:
    """Return the media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def checksum(request: Request) -> videos.Checksum | None:
    """Return what Upload-Checksum says of the body, or None."""
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    try:
        return videos.Checksum(algorithm, base64.b64decode(digest, validate=True))
    except (binascii.Error, ValueError):
        raise Invalid("Upload-Checksum must be an algorithm and a Base64 digest.") from None


def draft(request: Request) -> videos.Draft:
    """Return what Upload-Metadata says of the video."""
    header = request.headers.get("upload-metadata", "")
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


def date(moment: datetime) -> str:
    """Return a time as HTTP writes it."""
    return format_datetime(moment, usegmt=True)
