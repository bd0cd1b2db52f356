"""The media in an export: of each video the best rendition and its captions, and the picture.

This room lies below room videos, so it reads the tables by their declared names.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from reelm.accounts.models import Account
from reelm.foundation.database import Base
from reelm.foundation.parts import Parts

BATCH = 200


def media_files(parts: Parts, account_id: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield name and bytes of each media file of the account."""
    with parts.transaction() as session:
        account = session.get(Account, account_id)
        picture = account.avatar_object if account else None
    if picture is not None:
        yield "avatar.jpg", parts.store.chunks(picture)
    for video_id in _videos(parts, account_id):
        key = _best(parts, video_id)
        if key is not None:
            yield f"videos/{video_id}.mp4", parts.store.chunks(key)
        for language, text in _captions(parts, video_id):
            yield f"videos/{video_id}.{language}.vtt", [text.encode()]


def _videos(parts: Parts, account_id: int) -> Iterator[int]:
    video = Base.metadata.tables["video"].columns
    last = 0
    while True:
        with parts.transaction() as session:
            ids = session.scalars(
                select(video.id)
                .where(video.account_id == account_id, video.id > last)
                .order_by(video.id)
                .limit(BATCH)
            ).all()
        yield from ids
        if len(ids) < BATCH:
            return
        last = ids[-1]


def _best(parts: Parts, video_id: int) -> str | None:
    rendition = Base.metadata.tables["rendition"].columns
    with parts.transaction() as session:
        key: str | None = session.scalar(
            select(rendition.object)
            .where(rendition.video_id == video_id)
            .order_by(
                (rendition.width * rendition.height).desc(),
                rendition.bitrate_bps.desc(),
            )
            .limit(1)
        )
    return key


def _captions(parts: Parts, video_id: int) -> list[tuple[str, str]]:
    track = Base.metadata.tables["caption_track"].columns
    with parts.transaction() as session:
        query = select(track.language, track.text).where(track.video_id == video_id)
        rows = session.execute(query.order_by(track.language)).all()
    return [(row.language, row.text) for row in rows]
