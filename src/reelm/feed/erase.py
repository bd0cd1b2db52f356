"""Erase an account from the feed's tables, and tell the process that holds the ranker."""

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from reelm.feed.idle import delete_log
from reelm.feed.log.write import ERASURE_LOCK
from reelm.feed.models import FeedSettings, HiddenSubject, SignalRow
from reelm.feed.signals import Kind
from reelm.foundation.parts import Parts

# Acts whose subject is a creator; of the others it is a hashtag or a sound.
OF_CREATORS = (
    Kind.FOLLOW,
    Kind.UNFOLLOW,
    Kind.PROFILE_VISIT,
    Kind.HIDE_CREATOR,
    Kind.SHOW_CREATOR,
)


def erase_from_feed(parts: Parts, account_id: int) -> None:
    """Delete what the feed holds of an account whose erasure has begun.

    Others' acts that name it as a creator go too.
    """
    with parts.transaction() as session:
        # Whatever batch is being written ends first, and each that follows knows of the erasure.
        session.execute(select(func.pg_advisory_xact_lock(ERASURE_LOCK)))
    with parts.transaction() as session:
        _delete(session, account_id)
        session.execute(select(func.pg_notify("feed", f"forget:{account_id}")))


def _delete(session: Session, account_id: int) -> None:
    delete_log(session, [account_id])
    named = SignalRow.subject == str(account_id), SignalRow.subject != ""
    session.execute(delete(SignalRow).where(*named, SignalRow.kind.in_(OF_CREATORS)))
    session.execute(delete(FeedSettings).where(FeedSettings.viewer_id == account_id))
    hidden = HiddenSubject.kind == "creator", HiddenSubject.subject == str(account_id)
    session.execute(
        delete(HiddenSubject).where(
            or_(HiddenSubject.viewer_id == account_id, hidden[0] & hidden[1])
        )
    )
