"""Reading the comments under a video."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.foundation.errors import Missing
from reelm.regions import withheld
from reelm.social.comment import NO_COMMENT
from reelm.social.models import Comment
from reelm.social.people import Person, person_columns
from reelm.social.visibility import blocked_between, refuse_unwatchable


@dataclass(frozen=True)
class Remark:
    """A comment with its author, as one viewer sees it."""

    id: int
    author: Person
    body: str
    created_at: datetime
    edited_at: datetime | None
    is_mine: bool


def comments_under(
    session: Session,
    viewer_account_id: int | None,
    video_id: int,
    *,
    limit: int,
    before: int | None = None,
    country: str | None = None,
) -> list[Remark]:
    """Return comments, newest first; `before` is the last id of the page before.

    Raises:
        Missing: there is no such video for this viewer.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    refuse_unwatchable(session, viewer_account_id, video_id, country)
    query = _shown_to(viewer_account_id, country).where(Comment.video_id == video_id)
    if before is not None:
        query = query.where(Comment.id < before)
    rows = session.execute(query.order_by(Comment.id.desc()).limit(limit))
    return [_remark(row, viewer_account_id) for row in rows]


def remark(
    session: Session, viewer_account_id: int, comment_id: int, country: str | None = None
) -> Remark:
    """Return one comment.

    Raises:
        Missing: there is no such comment for this viewer.
    """
    query = _shown_to(viewer_account_id, country).where(Comment.id == comment_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise Missing(NO_COMMENT)
    return _remark(row, viewer_account_id)


def _shown_to(viewer_account_id: int | None, country: str | None) -> Select[Any]:
    query = (
        select(
            *person_columns(viewer_account_id),
            Comment.id.label("comment_id"),
            Comment.body,
            Comment.created_at,
            Comment.edited_at,
        )
        .select_from(Comment)
        .join(Account, Account.id == Comment.account_id)
        .where(Account.state == "active")
        .where(~withheld(country, Comment.id, Comment.account_id))
    )
    if viewer_account_id is None:
        return query
    return query.where(~blocked_between(viewer_account_id, Comment.account_id))


def _remark(row: Any, viewer_account_id: int | None) -> Remark:
    return Remark(
        id=row.comment_id,
        author=Person(*row[:5]),
        body=row.body,
        created_at=row.created_at,
        edited_at=row.edited_at,
        is_mine=row[0] == viewer_account_id,
    )
