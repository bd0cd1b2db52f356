"""Notices: what a person is told about orders, decisions and grievances of theirs.

What everybody is told alike, such as that the region is sold, is no row of each account: it is put
among the notices when they are read, and becomes a row of those accounts that mark it as read.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts import data_key
from reelm.foundation.clock import now
from reelm.foundation.database import fence
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


class ToEverybody(msgspec.Struct, frozen=True):
    """A notice that every account has; `number` is its id in the list of each."""

    number: int
    about: Literal["transfer"]
    about_id: int
    what: str
    words: str
    made_at: datetime


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
    session: Session,
    parts: Parts,
    account_id: int,
    *,
    before: int | None = None,
    limit: int = PAGE,
    to_all: Sequence[ToEverybody] = (),
) -> list[ReadNotice]:
    """Return the notices of an account, the newest first, with those to everybody among them."""
    unread = [
        _read(one)
        for one in _not_marked(session, account_id, to_all)
        if before is None or one.number < before
    ]
    found = [*unread, *_own(session, parts, account_id, before=before, limit=limit)]
    return sorted(found, key=lambda one: -one.id)[:limit]


def _own(
    session: Session, parts: Parts, account_id: int, *, before: int | None, limit: int
) -> list[ReadNotice]:
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


def unread(session: Session, account_id: int, to_all: Sequence[ToEverybody] = ()) -> int:
    """Return how many notices the account has not marked as read."""
    query = select(func.count()).where(Notice.account_id == account_id, Notice.read_at.is_(None))
    return session.execute(query).scalar_one() + len(_not_marked(session, account_id, to_all))


def mark_read(
    session: Session,
    parts: Parts,
    account_id: int,
    notice_id: int,
    to_all: Sequence[ToEverybody] = (),
) -> None:
    """Mark a notice as read; one that is read already stays as it is.

    In a freeze nothing is kept of it: orders go on to tell people, and their notices are closed
    against all else, so that nobody holds up the cutover by reading.

    Raises:
        Missing: the account has no such notice.
    """
    if fence.is_closed(session):
        return
    for one in _not_marked(session, account_id, to_all):
        if one.number == notice_id:
            _keep_read(session, parts, account_id, one)
            return
    marked = session.execute(
        update(Notice)
        .where(Notice.account_id == account_id, Notice.id == notice_id)
        .values(read_at=func.coalesce(Notice.read_at, now()))
        .returning(Notice.id)
    ).one_or_none()
    if marked is None:
        raise Missing("You have no such notice.")


def mark_all_read(
    session: Session, parts: Parts, account_id: int, to_all: Sequence[ToEverybody] = ()
) -> None:
    """Mark every notice of an account as read; in a freeze nothing is kept of it."""
    if fence.is_closed(session):
        return
    for one in _not_marked(session, account_id, to_all):
        _keep_read(session, parts, account_id, one)
    session.execute(
        update(Notice)
        .where(Notice.account_id == account_id, Notice.read_at.is_(None))
        .values(read_at=now())
    )


def _not_marked(
    session: Session, account_id: int, to_all: Sequence[ToEverybody]
) -> list[ToEverybody]:
    if not to_all:
        return []
    marked = select(Notice.id).where(
        Notice.account_id == account_id, Notice.id.in_([one.number for one in to_all])
    )
    known = set(session.scalars(marked))
    return [one for one in to_all if one.number not in known]


def _read(one: ToEverybody) -> ReadNotice:
    return ReadNotice(
        one.number, one.about, one.about_id, one.what, one.words, one.made_at, None, []
    )


def _keep_read(session: Session, parts: Parts, account_id: int, one: ToEverybody) -> None:
    """Write the row of a notice to everybody, in the place of what it told before of the same."""
    told = {
        "id": one.number,
        "words": data_key(session, parts, account_id).seal(Notice.words, one.words),
        "made_at": one.made_at,
        "read_at": now(),
    }
    key = {
        "account_id": account_id,
        "about": one.about,
        "about_id": one.about_id,
        "what": one.what,
    }
    session.execute(
        insert(Notice)
        .values(**key, **told)
        .on_conflict_do_update(
            index_elements=[Notice.account_id, Notice.about, Notice.about_id, Notice.what],
            set_=told,
        )
    )
