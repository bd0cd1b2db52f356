"""Remove what nobody needs any more; runs each hour and when a region is opened."""

from datetime import timedelta

from sqlalchemy import delete, select

from reelm.foundation.clock import now
from reelm.foundation.parts import Parts
from reelm.foundation.workspace import sweep_workspaces
from reelm.videos.convert import RETIRED_FOR
from reelm.videos.models import Rendition, Upload
from reelm.videos.objects import forget, remove_forgotten, remove_orphans

# An object is stored before the row that names it; no request or job takes an hour between the two.
ORPHAN_AFTER = timedelta(hours=1)


def sweep(parts: Parts) -> None:
    """Remove expired uploads, stray files, retired renditions and orphaned objects."""
    sweep_uploads(parts)
    sweep_workspaces(parts.home)
    _sweep_retired(parts)
    remove_forgotten(parts)
    remove_orphans(parts, stored_before=now() - ORPHAN_AFTER)


def sweep_uploads(parts: Parts) -> None:
    """Remove the rows of expired uploads, and the files that no unfinished upload owns."""
    with parts.transaction() as session:
        session.execute(delete(Upload).where(Upload.expires_at < now()))
    # Listed before the rows are read: a file is made after its row, so none listed here is younger
    # than the rows.
    files = [path for path in parts.home.uploads.iterdir() if path.is_file()]
    with parts.transaction() as session:
        unfinished = select(Upload.id).where(Upload.video_id.is_(None))
        owned = {str(upload_id) for upload_id in session.scalars(unfinished)}
    for path in files:
        if path.name not in owned:
            path.unlink(missing_ok=True)


def _sweep_retired(parts: Parts) -> None:
    with parts.transaction() as session:
        keys = session.scalars(
            delete(Rendition)
            .where(Rendition.retired_at < now() - RETIRED_FOR)
            .returning(Rendition.object)
        ).all()
        forget(session, keys)
