"""Everything of one video that has an address below /media/{video_id}/."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.videos import manifest
from reelm.videos.models import CaptionTrack, Rendition, Video

HLS = "application/vnd.apple.mpegurl"


@dataclass(frozen=True)
class MediaSource:
    """Where the bytes of one address are: here, or in the object store under `key`."""

    media_type: str
    etag: str
    key: str | None = None
    data: bytes | None = None
