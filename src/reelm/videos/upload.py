"""Uploads that are under way: begin, look, end. Their bytes come in by receive.py."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reelm.accounts import keys
from reelm.foundation.clock import now
from reelm.foundation.config import UploadSettings
from reelm.foundation.errors import Conflict, Gone, Invalid, Missing, TooLarge
from reelm.foundation.home import Home
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.videos.draft import Draft, checked
from reelm.videos.models import Rendition, Upload, Video

# Each open upload is a row and a file; a person's devices together need a handful.
MAX_OPEN_UPLOADS = 50


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """An upload as its owner sees it."""

    id: int
    size_bytes: int
    offset_bytes: int
    created_at: datetime
    expires_at: datetime
    video_id: int | None
    draft: Draft


def create(
    session: Session, parts: Parts, *, account_id: int, size_bytes: int, draft: Draft
) -> int:
    """Begin an upload of announced size and return its id."""
    limits = parts.settings.upload
    if size_bytes < 1:
        raise Invalid("The file is empty.")
    if size_bytes > limits.max_bytes:
        raise TooLarge(
            f"The file has {size_bytes:,} bytes; at most {limits.max_bytes:,}"
            f" ({_readable(limits.max_bytes)}) are accepted."
        )
    _lock_account(session, account_id)
    _check_room(session, account_id, size_bytes, limits)
    upload_id = new_id()
    words = msgspec.json.encode(checked(draft)).decode()
    session.add(
        Upload(
            account_id=account_id,
            id=upload_id,
            size_bytes=size_bytes,
            draft=keys.data_key(session, parts, account_id).seal(Upload.draft, words),
            created_at=now(),
            expires_at=expiry(limits),
        )
    )
    session.flush()
    return upload_id


def look(session: Session, parts: Parts, *, account_id: int, upload_id: int) -> UploadView:
    """Return an upload of this account.

    Raises:
        Missing: the account has no such upload.
        Gone: it has expired.
    """
    upload = session.get(Upload, (account_id, upload_id))
    if upload is None:
        raise Missing("There is no such upload of yours.")
    if upload.video_id is None and upload.expires_at < now():
        raise Gone("This upload has expired: start it again.")
    return _view(session, parts, upload)


def open_uploads(session: Session, parts: Parts, account_id: int) -> list[UploadView]:
    """Return the unfinished uploads of an account, newest first."""
    rows = session.scalars(
        select(Upload)
        .where(Upload.account_id == account_id, Upload.video_id.is_(None))
        .where(Upload.expires_at > now())
        .order_by(Upload.id.desc())
    )
    return [_view(session, parts, row) for row in rows]


def terminate(session: Session, *, account_id: int, upload_id: int) -> None:
    """End an upload; a video it has become stays. Call `discard_file` after the commit."""
    upload = session.get(Upload, (account_id, upload_id), with_for_update=True)
    if upload is None:
        raise Missing("There is no such upload of yours.")
    session.delete(upload)


def discard_file(home: Home, upload_id: int) -> None:
    """Remove the bytes of an ended upload; what still writes to them writes to nothing."""
    file_of(home, upload_id).unlink(missing_ok=True)


def quota_left(session: Session, account_id: int, limits: UploadSettings) -> int:
    """Return how many more bytes the account may have stored, open uploads counted whole."""
    of_account = Video.account_id == account_id
    has_original = Video.original_object.is_not(None)
    sums = (
        select(func.sum(Upload.size_bytes)).where(
            Upload.account_id == account_id,
            Upload.video_id.is_(None),
            Upload.expires_at > now(),
        ),
        select(func.sum(Video.original_bytes)).where(of_account, has_original),
        select(func.sum(Rendition.size_bytes)).join(Video).where(of_account),
    )
    row = session.execute(select(*(part.scalar_subquery() for part in sums))).one()
    return max(0, limits.quota_bytes - sum(int(used or 0) for used in row))


def draft_of(session: Session, parts: Parts, upload: Upload) -> Draft:
    """Return the words that were sealed with an upload."""
    words = keys.data_key(session, parts, upload.account_id).open(Upload.draft, upload.draft)
    return msgspec.json.decode(words, type=Draft)


def expiry(limits: UploadSettings) -> datetime:
    """Return when an upload ends if nothing more arrives from now on."""
    return now() + timedelta(hours=limits.expire_hours)


def file_of(home: Home, upload_id: int) -> Path:
    """Return where the bytes of an upload lie; its name is our id and never the client's."""
    return home.uploads / str(upload_id)


def _view(session: Session, parts: Parts, upload: Upload) -> UploadView:
    return UploadView(
        id=upload.id,
        size_bytes=upload.size_bytes,
        offset_bytes=upload.offset_bytes,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        video_id=upload.video_id,
        draft=draft_of(session, parts, upload),
    )


def _lock_account(session: Session, account_id: int) -> None:
    # Two uploads begun at once must not both find the last of the quota free.
    session.execute(select(func.pg_advisory_xact_lock(account_id)))


def _check_room(session: Session, account_id: int, size_bytes: int, limits: UploadSettings) -> None:
    begun = session.scalar(
        select(func.count())
        .select_from(Upload)
        .where(Upload.account_id == account_id, Upload.video_id.is_(None))
    )
    if begun is not None and begun >= MAX_OPEN_UPLOADS:
        raise Conflict(f"{begun} uploads are unfinished already: finish or end one of them first.")
    left = quota_left(session, account_id, limits)
    if size_bytes > left:
        raise TooLarge(
            f"The file has {_readable(size_bytes)}, and of your {_readable(limits.quota_bytes)}"
            f" {_readable(left)} are left: delete a video first."
        )


def _readable(size_bytes: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.4g} {name}"
    return f"{size_bytes} bytes"
