"""Drop what anonymous viewers chose, once their cookie has ended.

The log of an idle one goes within hours (idle.py). What was chosen stays as long as the cookie
does: an opt-out that ended before it would switch recording on again unasked.
"""

from datetime import timedelta

from sqlalchemy import delete, exists, or_
from sqlalchemy.orm import Session

from reelm.accounts.models import Account, ErasedAccount
from reelm.feed.models import FeedSettings, HiddenSubject
from reelm.feed.moments import first_id_at
from reelm.foundation.clock import now
from reelm.foundation.parts import Parts

# The cookie is set once, when the viewer's id is made, and lives so long (web/viewer.py).
COOKIE_DAYS = 30


def forget_outlived(parts: Parts) -> None:
    """Delete settings and hidden things of anonymous viewers who cannot come back."""
    with parts.transaction() as session:
        for table in (FeedSettings, HiddenSubject):
            _delete(session, table)


def _delete(session: Session, table: type[FeedSettings | HiddenSubject]) -> None:
    made_before = first_id_at(now() - timedelta(days=COOKIE_DAYS))
    # Of an erased account the erasure itself takes care, in its own order.
    known = or_(
        exists().where(Account.id == table.viewer_id),
        exists().where(ErasedAccount.account_id == table.viewer_id),
    )
    session.execute(delete(table).where(table.viewer_id < made_before, ~known))
