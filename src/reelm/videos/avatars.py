"""Store people's pictures; they pass the sandbox that videos pass, as their bytes are no safer."""

from reelm.foundation.parts import Parts
from reelm.foundation.workspace import workspace
from reelm.videos.avatar import make_avatar
from reelm.videos.objects import AVATARS


def store_avatar(parts: Parts, data: bytes) -> str:
    """Store a JPEG, PNG or WebP picture as a small square without metadata; return its key.

    Raises:
        Invalid: it is no such picture.
        TooLarge: it is larger than pictures may be.
    """
    with workspace(parts.home, "avatar") as work:
        # The child may write below `made` only, and reads the picture by descriptor.
        made = work / "made"
        made.mkdir()
        source = work / "picture"
        source.write_bytes(data)
        avatar = make_avatar(source, work=made, ffmpeg=parts.settings.media.ffmpeg or None)
        return parts.store.put_file(AVATARS, avatar).key
