"""Comments under videos."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import accounts, social
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of, acting_account
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.api.shapes import Creator, creator_of
from reelm.web.viewer import Viewer


class CommentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of a comment."""

    # Wider than what is kept, so that one who wrote too much is told how much.
    body: Annotated[str, Meta(max_length=10_000, description="1 to 1000 characters.")]


class Comment(msgspec.Struct, frozen=True):
    """A comment as one viewer sees it."""

    id: str
    author: Creator
    body: str
    created_at: datetime
    edited_at: datetime | None
    is_mine: bool


class Comments(msgspec.Struct, frozen=True):
    """Comments, newest first; the cursor leads to older ones."""

    comments: list[Comment]
    cursor: str | None


def comments(
    session: Session,
    viewer: Viewer,
    video_id: int,
    cursor: Cursor | None = None,
    limit: PageSize = 30,
) -> Comments:
    """List the comments under a video, newest first."""
    remarks = social.comments_under(
        session,
        viewer.account_id,
        video_id,
        limit=limit + 1,
        before=number_of(cursor),
        country=viewer.country,
    )
    return Comments([_comment(r) for r in remarks[:limit]], cursor_after(remarks, limit))


def comment(
    session: Session, parts: Parts, viewer: Viewer, video_id: int, body: CommentForm
) -> Comment:
    """Write a comment under a video."""
    account_id = acting_account(session, viewer)
    accounts.count_try(parts, accounts.COMMENT_ACCOUNT, account_id)
    made = social.comment(session, account_id, video_id, body.body, viewer.country)
    return _comment(social.remark(session, account_id, made, viewer.country))


def edit_comment(session: Session, viewer: Viewer, comment_id: int, body: CommentForm) -> Comment:
    """Change one's own comment."""
    account_id = acting_account(session, viewer)
    social.edit_comment(session, account_id, comment_id, body.body)
    return _comment(social.remark(session, account_id, comment_id, viewer.country))


def delete_comment(session: Session, viewer: Viewer, comment_id: int) -> None:
    """Delete one's own comment, or one under one's own video."""
    social.delete_comment(session, account_id_of(viewer), comment_id)


def _comment(remark: social.Remark) -> Comment:
    return Comment(
        str(remark.id),
        creator_of(remark.author),
        remark.body,
        remark.created_at,
        remark.edited_at,
        remark.is_mine,
    )
