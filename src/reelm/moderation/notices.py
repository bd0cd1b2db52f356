"""Notices: what a person is told about orders, decisions and grievances of theirs."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts import data_key
from reelm.foundation.clock import now
from reelm.foundation.errors import Gone, Missing
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.moderation.models import Notice
from reelm.moderation.targets import Target, videos_of_notices

About = Literal["order", "decision", "grievance"]
PAGE = 50


class ReadNotice(msgspec.Struct, frozen=True):
    """A notice as its person reads it, and which videos of theirs it is about."""

    id: int
    about: str
    about_id: int
    what: str
    words: str
    made_at: datetime
    read_at: datetime | None
    videos: list[Target]


def tell(
    session: Session,
    parts: Parts,
    account_id: int,
    *,
    about: About,
    about_id: int,
    what: str,
    words: str,
) -> bool:
    """Leave a notice for an account, once for each thing; return whether it was left now."""
    try:
        key = data_key(session, parts, account_id)
    except Gone:
        return False  # the account was erased: nobody is left to be told
    made = session.execute(
        insert(Notice)
        .values(
            account_id=account_id,
            id=new_id(),
            about=about,
            about_id=about_id,
            what=what,
            words=key.seal(Notice.words, words),
            made_at=now(),
        )
        .on_conflict_do_nothing(
            index_elements=[Notice.account_id, Notice.about, Notice.about_id, Notice.what]
        )
        .returning(Notice.id)
    ).one_or_none()
    return made is not None


def my_notices(
    session: Session, parts: Parts, account_id: int, *, before: int | None = None, limit: int = PAGE
) -> list[ReadNotice]:
    """Return the notices of an account, the newest first."""
    query = select(Notice).where(Notice.account_id == account_id)
    if before is not None:
        query = query.where(Notice.id < before)
    rows = session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()
    if not rows:
        return []
    key = data_key(session, parts, account_id)
    videos = videos_of_notices(session, account_id, rows)
    return [
        ReadNotice(
            row.id,
            row.about,
            row.about_id,
            row.what,
            key.open(Notice.words, row.words),
            row.made_at,
            row.read_at,
            videos.get(row.about_id, []),
        )
        for row in rows
    ]


def unread(session: Session, account_id: int) -> int:
    """Return how many notices the account has not marked as read."""
    query = select(func.count()).where(Notice.account_id == account_id, Notice.read_at.is_(None))
    return session.execute(query).scalar_one()


def mark_read(session: Session, account_id: int, notice_id: int) -> None:
    """Mark a notice as read; one that is read already stays as it is.

    Raises:
        Missing: the account has no such notice.
    """
    marked = session.execute(
        update(Notice)
        .where(Notice.account_id == account_id, Notice.id == notice_id)
        .values(read_at=func.coalesce(Notice.read_at, now()))
        .returning(Notice.id)
    ).one_or_none()
    if marked is None:
        raise Missing("You have no such notice.")


def mark_all_read(session: Session, account_id: int) -> None:
    """Mark every notice of an account as read."""
    session.execute(
        update(Notice)
        .where(Notice.account_id == account_id, Notice.read_at.is_(None))
        .values(read_at=now())
    )
