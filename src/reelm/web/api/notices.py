"""Notices to the signed-in person about orders, decisions and grievances."""

from datetime import datetime

import msgspec

from reelm import moderation
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.viewer import Viewer


class NoticeRow(msgspec.Struct, frozen=True):
    """One notice; `can_object` where an objection to what it is about is possible.

    `videos` are those of one's own that it is about.
    """

    id: str
    about: str
    about_id: str
    what: str
    words: str
    made_at: datetime
    read_at: datetime | None
    can_object: bool
    videos: list[moderation.Target]


class Notices(msgspec.Struct, frozen=True):
    """Notices, the newest first, and how many are unread."""

    notices: list[NoticeRow]
    unread: int
    cursor: str | None


def list_notices(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    cursor: Cursor | None = None,
    limit: PageSize = 50,
) -> Notices:
    """List one's notices; they stay unread until they are marked."""
    account_id = account_id_of(viewer)
    found = moderation.my_notices(
        session, parts, account_id, before=number_of(cursor), limit=limit + 1
    )
    rows = [_row(one) for one in found[:limit]]
    return Notices(rows, moderation.unread(session, account_id), cursor_after(found, limit))


def mark_read(session: Session, viewer: Viewer, notice_id: int) -> None:
    """Mark a notice as read."""
    moderation.mark_read(session, account_id_of(viewer), notice_id)


def _row(found: moderation.ReadNotice) -> NoticeRow:
    return NoticeRow(
        id=str(found.id),
        about=found.about,
        about_id=str(found.about_id),
        what=found.what,
        words=found.words,
        made_at=found.made_at,
        read_at=found.read_at,
        can_object=found.about in {"order", "decision"} and found.what in {"in_force", "made"},
        videos=found.videos,
    )
