"""The programs of others that a region starts: ffmpeg, and the embedded PostgreSQL."""

from pathlib import Path
from typing import Literal, cast

from reelm.foundation.config import Settings
from reelm.foundation.database.embedded_binaries import binaries
from reelm.videos.sandbox import ffmpeg_path


def programs(settings: Settings) -> dict[str, Path]:
    """Return name -> file of each program; a PostgreSQL of one's own is none of them.

    Raises:
        Unavailable: the embedded PostgreSQL is not installed.
    """
    found = {"ffmpeg": Path(ffmpeg_path(settings.media.ffmpeg or None))}
    if not settings.database.url:
        version = cast("Literal['16', '18']", settings.database.embedded_version)
        found["postgres"] = binaries(version) / "postgres"
    return found
