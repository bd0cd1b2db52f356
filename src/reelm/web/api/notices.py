"""Notices to the signed-in person about orders, decisions, grievances and the region's sale."""

from datetime import datetime

import msgspec

from reelm import moderation
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.news import to_everybody
from reelm.web.viewer import Viewer

# Notices of what one may object to, by what they are about.
CAN_OBJECT = {
    "order": {"in_force"},
    "decision": {"made"},
    "transfer": {"announced", "cutover"},
}


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
    account_id, to_all = account_id_of(viewer), to_everybody(session)
    found = moderation.my_notices(
        session, parts, account_id, before=number_of(cursor), limit=limit + 1, to_all=to_all
    )
    rows = [_row(one) for one in found[:limit]]
    return Notices(rows, moderation.unread(session, account_id, to_all), cursor_after(found, limit))


def mark_read(session: Session, parts: Parts, viewer: Viewer, notice_id: int) -> None:
    """Mark a notice as read."""
    moderation.mark_read(session, parts, account_id_of(viewer), notice_id, to_everybody(session))


def _row(found: moderation.ReadNotice) -> NoticeRow:
    return NoticeRow(
        id=str(found.id),
        about=found.about,
        about_id=str(found.about_id),
        what=found.what,
        words=found.words,
        made_at=found.made_at,
        read_at=found.read_at,
        can_object=found.what in CAN_OBJECT.get(found.about, ()),
        videos=found.videos,
    )
