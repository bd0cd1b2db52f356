"""What the tests of uploads and publishing do again and again."""

from datetime import timedelta
from pathlib import Path

from reelm import accounts, videos
from reelm.foundation.parts import Parts
from reelm.videos.objects import KINDS, remove_forgotten
from reelm.videos.sweep import sweep

DRAFT = videos.Draft(file_name="clip.mp4", caption="A #cat", audience="public")


def person(parts: Parts, handle: str = "ana") -> int:
    """Return the account of this handle."""
    with parts.transaction() as session:
        return accounts.ensure_account(session, parts, handle)


def begun(parts: Parts, account_id: int, size_bytes: int, draft: videos.Draft = DRAFT) -> int:
    """Begin an upload."""
    with parts.transaction() as session:
        return videos.create(
            session, parts, account_id=account_id, size_bytes=size_bytes, draft=draft
        )


def arriving(parts: Parts, account_id: int, upload_id: int, offset: int, **more):
    """Begin to send."""
    return videos.begin(
        parts, account_id=account_id, upload_id=upload_id, offset_bytes=offset, **more
    )


def sent(parts: Parts, account_id: int, upload_id: int, offset: int, data: bytes, **more):
    """Send bytes in one request."""
    arrival = arriving(parts, account_id, upload_id, offset, **more)
    try:
        arrival.write(data)
        return arrival.end()
    finally:
        arrival.cut()


def looked(parts: Parts, account_id: int, upload_id: int) -> videos.UploadView:
    """Look at an upload."""
    with parts.transaction() as session:
        return videos.look(session, parts, account_id=account_id, upload_id=upload_id)


def imported(parts: Parts, account_id: int, path: Path, draft: videos.Draft = DRAFT) -> int:
    """Bring a file in; its jobs are queued."""
    return videos.import_file(parts, account_id=account_id, path=path, draft=draft)


def seen(parts: Parts, video_id: int) -> videos.VideoView:
    """Read a video that is there."""
    with parts.transaction() as session:
        view = videos.load_view(session, video_id)
    assert view is not None
    return view


def stored(parts: Parts, kind: str | None = None) -> set[str]:
    """Return the keys of all objects, or of those of a kind."""
    return {one.key for each in ([kind] if kind else KINDS) for one in parts.store.list(each)}


def left_files(parts: Parts) -> list[Path]:
    """Return what lies in the folders of uploads and jobs."""
    return [*parts.home.uploads.iterdir(), *parts.home.work.iterdir()]


def forgotten_removed(parts: Parts) -> None:
    """Remove what was forgotten, as if ten minutes had passed."""
    remove_forgotten(parts, after=timedelta(seconds=-5))


def swept(parts: Parts) -> None:
    """Sweep."""
    sweep(parts)
