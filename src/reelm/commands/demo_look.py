"""Look at the demo as a player does: the feed, a manifest, a first segment, over HTTP."""

import json
import re
import time
import urllib.request
from urllib.parse import urljoin

from reelm.foundation.errors import Unavailable

PATIENCE_S = 10.0
_MAP = re.compile(r'#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"')
_RANGE = re.compile(r"#EXT-X-BYTERANGE:(\d+)@(\d+)")


def look(address: str) -> dict[str, float]:
    """Return how many ms the feed took, and a first segment with the playlists before it.

    Raises:
        Unavailable: something is not as a player needs it; says what.
    """
    began = time.monotonic()
    feed = json.loads(_fetch(f"{address}/api/feed?limit=10"))
    feed_ms = (time.monotonic() - began) * 1000
    if not feed["videos"]:
        raise Unavailable("The feed is empty although all clips are playable.")
    began = time.monotonic()
    master_url = urljoin(address, feed["videos"][0]["manifest_url"])
    playlist_url = urljoin(master_url, _first_line(_fetch(master_url).decode()))
    playlist = _fetch(playlist_url).decode()
    header = _MAP.search(playlist)
    first = _RANGE.search(playlist)
    if header is None or first is None:
        raise Unavailable(f"{playlist_url} is not a playlist of byte ranges.")
    media_url = urljoin(playlist_url, header.group(1))
    opening = _fetch(media_url, int(header.group(3)), int(header.group(2)))
    segment = _fetch(media_url, int(first.group(2)), int(first.group(1)))
    if opening[4:8] != b"ftyp" or b"moof" not in segment[:4096]:
        raise Unavailable(f"{media_url} does not begin as a fragmented MP4.")
    segment_ms = (time.monotonic() - began) * 1000
    return {"feed_ms": round(feed_ms, 1), "first_segment_ms": round(segment_ms, 1)}


def _fetch(url: str, start: int | None = None, length: int = 0) -> bytes:
    if not url.startswith("http://"):
        raise Unavailable(f"{url} is not an address of this service.")
    request = urllib.request.Request(url)  # noqa: S310 - the scheme was checked
    if start is not None:
        request.add_header("Range", f"bytes={start}-{start + length - 1}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310
            body: bytes = response.read()
    except OSError as error:
        raise Unavailable(f"{url} cannot be fetched: {error}.") from None
    if start is not None and (response.status != 206 or len(body) != length):
        raise Unavailable(f"{url} did not answer the range that was asked for.")
    return body


def _first_line(playlist: str) -> str:
    lines = (line.strip() for line in playlist.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")
