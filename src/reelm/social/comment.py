"""Comment on a video. The total is kept by the trigger `count_acts`."""

import unicodedata

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reelm.accounts import paragraphs
from reelm.foundation.clock import now
from reelm.foundation.errors import Forbidden, Invalid, Missing
from reelm.foundation.ids import new_id
from reelm.social.models import Comment
from reelm.social.visibility import require_watchable
from reelm.videos.models import Video

MAX_CHARACTERS = 1000
NO_COMMENT = "There is no such comment."


def comment(
    session: Session, account_id: int, video_id: int, body: str, country: str | None = None
) -> int:
    """Write a comment and return its id.

    Raises:
        Invalid: the text is empty or too long.
        Missing: there is no such video for this account.
    """
    text = clean(body)
    require_watchable(session, account_id, video_id, country)
    made = Comment(
        id=new_id(), video_id=video_id, account_id=account_id, body=text, created_at=now()
    )
    session.add(made)
    session.flush()
    return made.id


def edit_comment(session: Session, account_id: int, comment_id: int, body: str) -> None:
    """Change the text of one's own comment.

    Raises:
        Invalid: the text is empty or too long.
        Missing: there is no such comment for this account.
        Forbidden: somebody else wrote it.
    """
    text = clean(body)
    found = session.get(Comment, comment_id, with_for_update=True)
    if found is None:
        raise Missing(NO_COMMENT)
    if found.account_id != account_id:
        require_watchable(session, account_id, found.video_id)
        raise Forbidden("Only its author can change a comment.")
    if found.body != text:
        found.body, found.edited_at = text, now()
        session.flush()


def delete_comment(session: Session, account_id: int, comment_id: int) -> None:
    """Delete one's own comment, or any comment under one's own video.

    Raises:
        Missing: there is no such comment for this account.
        Forbidden: neither the comment nor the video is this account's.
    """
    row = session.execute(
        select(Comment.account_id, Comment.video_id, Video.account_id.label("creator_id"))
        .join(Video, Video.id == Comment.video_id)
        .where(Comment.id == comment_id)
    ).one_or_none()
    if row is None:
        raise Missing(NO_COMMENT)
    if account_id not in (row.account_id, row.creator_id):
        require_watchable(session, account_id, row.video_id)
        raise Forbidden("Only its author and the video's creator can delete a comment.")
    session.execute(delete(Comment).where(Comment.id == comment_id))


def clean(body: str) -> str:
    """Return the text as it is kept: trimmed and composed.

    Raises:
        Invalid: it is empty, too long, or has characters that cannot be shown.
    """
    text = paragraphs(body, what="comment", most=MAX_CHARACTERS)
    # Format characters alone (zero-width spaces, joiners) would show as nothing.
    if all(unicodedata.category(character)[0] in "CZ" for character in text):
        raise Invalid("Write something: a comment needs at least one character.")
    return text
