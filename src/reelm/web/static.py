"""Static assets under addresses that carry their digest, so that they never need asking again."""

import gzip
import hashlib
import json
import mimetypes
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.responses import Response

FOLDER = Path(__file__).parent / "assets"
IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, media type and digest."""

    data: bytes
    media_type: str
    digest: str
    compressed: bytes | None


@cache
def load() -> dict[str, Asset]:
    """Return path -> asset for all files; some hundred kilobytes, read once."""
    assets = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            name = path.relative_to(FOLDER).as_posix()
            data = path.read_bytes()
            media_type = _media_type(name)
            digest = hashlib.sha256(data).hexdigest()[:16]
            assets[name] = Asset(data, media_type, digest, _compressed(data, media_type))
    return assets


@cache
def release() -> str:
    """Return the digest of all assets: modules import each other by relative address."""
    digests = "".join(asset.digest for asset in load().values())
    return hashlib.sha256(digests.encode()).hexdigest()[:12]


def url(name: str) -> str:
    """Return the address of an asset."""
    if name not in load():
        raise KeyError(f"There is no asset {name}.")
    return f"/assets/{release()}/{name}"


@cache
def import_map() -> str:
    """Return the pages' import map as JSON: the modules of others by their bare names."""
    vendored = tomllib.loads((FOLDER / "vendor.lock").read_text("utf-8"))["file"]
    names = {entry["import"]: url(entry["file"]) for entry in vendored}
    for path in load():
        if path.startswith("js/") and path.endswith(".js"):
            names["reelm/" + path.removeprefix("js/")] = url(path)
    return json.dumps({"imports": names})


def respond(digest: str, name: str, accepted: str) -> Response:
    """Return an asset; one of another release is not kept by browsers.

    Args:
        digest: the release in the address.
        name: path of the asset.
        accepted: the request's Accept-Encoding.
    """
    asset = load().get(name)
    if asset is None:
        return Response("There is no such asset.", 404, media_type="text/plain")
    headers = {
        "cache-control": IMMUTABLE if digest == release() else "no-cache",
        "etag": f'"{asset.digest}"',
        "x-content-type-options": "nosniff",
    }
    if asset.compressed is None or "gzip" not in accepted:
        return Response(asset.data, 200, headers, asset.media_type)
    headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
    return Response(asset.compressed, 200, headers, asset.media_type)


def _compressed(data: bytes, media_type: str) -> bytes | None:
    if not media_type.startswith(("text/", "application/", "image/svg")):
        return None
    compressed = gzip.compress(data, 9, mtime=0)
    return compressed if len(compressed) < len(data) * 0.9 else None


def _media_type(name: str) -> str:
    if name.endswith((".mjs", ".js")):
        return "text/javascript; charset=utf-8"
    if name.endswith(".webmanifest"):
        return "application/manifest+json"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
